//! The program on Linux: arguments, commands, and the loop between them.

mod arguments;
mod lines;

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use awg_link::linux::namespace::Namespace;
use awg_link::linux::tun::TunEnds;
use awg_link::linux::udp::UdpEnds;
use awg_link::linux::{Emulator, Ends, become_punctual};

use arguments::{Arguments, Between, HELP};

/// How often stdin is looked at while packets pass.
const ATTENTION: Duration = Duration::from_millis(10);
/// A command is a line; more than this is none.
const LONGEST_LINE: usize = 4096;

static ENDED: AtomicBool = AtomicBool::new(false);

extern "C" fn end(_: libc::c_int) {
    ENDED.store(true, Ordering::Relaxed);
}

/// Runs until the end.
pub(crate) fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = Arguments::read(&words)
        .map_err(|error| format!("{error}; see awg-link --help"))
        .and_then(|arguments| start(&arguments).map_err(|error| error.to_string()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("awg-link: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &Arguments) -> io::Result<()> {
    let namespace = |name: &Option<String>| name.as_deref().map(Namespace::open).transpose();
    let (near, far) = (namespace(&arguments.near)?, namespace(&arguments.far)?);
    match &arguments.between {
        Between::Sockets { listen, to, from } => {
            let ends = UdpEnds::new(*listen, near.as_ref(), *to, *from, far)?;
            let place = format!("\"listen\":\"{}\"", ends.listening()?);
            run(ends, arguments, &place)
        }
        Between::Namespaces { device } => {
            let current = Namespace::current()?;
            let ends = TunEnds::new(
                device,
                near.as_ref().unwrap_or(&current),
                far.as_ref().unwrap_or(&current),
            )?;
            run(ends, arguments, &format!("\"device\":\"{device}\""))
        }
    }
}

fn run<E: Ends>(ends: E, arguments: &Arguments, place: &str) -> io::Result<()> {
    let mut emulator = Emulator::new(ends, arguments.conditions, arguments.seed, arguments.grain);
    let end: extern "C" fn(libc::c_int) = end;
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler only stores to an atomic.
        unsafe { libc::signal(signal, end as libc::sighandler_t) };
    }
    let punctual = become_punctual();
    say(&format!(
        "{{\"event\":\"ready\",{place},\"punctual\":{punctual}}}"
    ));
    let stdin = io::stdin();
    let mut read = Vec::new();
    let mut looked = Instant::now();
    while !ENDED.load(Ordering::Relaxed) {
        let readable = emulator.turn(stdin.as_raw_fd())?;
        if readable || looked.elapsed() > ATTENTION && is_readable(stdin.as_raw_fd()) {
            if !take(&mut stdin.lock(), &mut read)? {
                break;
            }
            while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = read.drain(..=end).collect();
                let answer = obey(&mut emulator, String::from_utf8_lossy(&line).trim());
                say(&answer);
            }
        }
        if looked.elapsed() > ATTENTION {
            looked = Instant::now();
        }
    }
    let total = emulator.total();
    say(&lines::statistics("result", &total));
    Ok(())
}

/// What is there; false at the end of the input.
fn take(stdin: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; LONGEST_LINE];
    let len = match stdin.read(&mut piece) {
        Ok(len) => len,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
        Err(error) => return Err(error),
    };
    into.extend_from_slice(&piece[..len]);
    if into.len() > 2 * LONGEST_LINE && !into.contains(&b'\n') {
        into.clear();
    }
    Ok(len > 0)
}

fn is_readable(descriptor: i32) -> bool {
    let mut polled = libc::pollfd {
        fd: descriptor,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer is to one entry, which outlives the call.
    unsafe { libc::poll(&raw mut polled, 1, 0) > 0 }
}

fn obey<E: Ends>(emulator: &mut Emulator<E>, line: &str) -> String {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("status") => lines::statistics("status", &emulator.window()),
        Some("window") => lines::statistics("window", &emulator.take_window()),
        Some("set") => match arguments::change(emulator.conditions(), words) {
            Ok(conditions) => {
                emulator.set_conditions(conditions);
                "{\"event\":\"set\"}".to_owned()
            }
            Err(error) => lines::error(&error),
        },
        _ => lines::error("there are the commands status, window, and set [up|down] NAME=VALUE …"),
    }
}

/// Prints a line. Whoever does not read it any more has no use for it.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
