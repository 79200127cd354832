//! WireGuard's machine, sans-I/O.
