//! `awg-link`: an emulated link between UDP sockets or network namespaces; `awg-link --help` says how it is used.
//!
//! It speaks as the programs of `interop` do: one JSON object a line on stdout, `ready` first, commands on stdin, and
//! the end, with a `result`, when stdin closes or SIGTERM or SIGINT comes.

#[cfg(target_os = "linux")]
mod program;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("awg-link needs Linux");
    std::process::ExitCode::FAILURE
}
