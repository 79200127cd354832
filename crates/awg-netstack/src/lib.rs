//! IP packets to flows and back.
