//! What several loops do for several peers: eight clients move bytes through one server over loopback, whose peers one loop has, or
//! two share, in turn. Prints the ratios of both.
//!
//! ```text
//! cargo run --release -p awg-engine --example shards -- [down|up] [gigabytes] [rounds] [plain|awg2|awg3] [workers]
//! ```
//!
//! The cost is the processor time of the server's threads, and of all engines' threads, per GB; Linux only. The load runs on the same
//! machine: where its processors are as few as the loops, the throughput tells more of the load than of the server.

mod ends;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use awg_engine::{Engine, Event};
use awg_tunnel::{Parameters, PrivateKey};
use ends::{Failure, client_settings, connect, key, server_settings};

const CLIENTS: u8 = 8;
const BLOCK: usize = 256 * 1024;

/// What one run measured.
#[derive(Clone, Copy)]
struct Figures {
    gigabits_per_second: f64,
    server_seconds: f64,
    all_seconds: f64,
    handed_over: f64,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let down = arguments.next().is_none_or(|direction| direction == "down");
    let gigabytes: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let rounds: usize = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let obfuscation = parameters(arguments.next().as_deref())?;
    let workers: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let mut figures = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (figures, workers) in figures.iter_mut().zip([1, workers]) {
            let measured = run(down, gigabytes, &obfuscation, workers)?;
            println!(
                "{workers} loop(s): {:.2} Gbit/s, CPU s/GB: server {:.2}, all engines {:.2}; handed over {:.0} %",
                measured.gigabits_per_second,
                measured.server_seconds,
                measured.all_seconds,
                measured.handed_over * 100.0,
            );
            figures.push(measured);
        }
    }
    let ratio = |of: fn(&Figures) -> f64| median(&figures[1], of) / median(&figures[0], of);
    println!(
        "{workers} loops against one: throughput {:.2}x, CPU s/GB: server {:.2}x, all engines {:.2}x (medians of {rounds})",
        ratio(|one| one.gigabits_per_second),
        ratio(|one| one.server_seconds),
        ratio(|one| one.all_seconds),
    );
    Ok(())
}

fn median(figures: &[Figures], of: fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn parameters(version: Option<&str>) -> Result<Parameters, Failure> {
    let padding = [("S1", "31"), ("S2", "31"), ("S3", "31"), ("S4", "16")];
    let protection = "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=";
    let settings = match version {
        Some("awg2") => padding.to_vec(),
        Some("awg3") => [padding.as_slice(), &[("HeaderProtectionKey", protection)]].concat(),
        _ => Vec::new(),
    };
    Parameters::from_settings(settings).map_err(|errors| format!("{errors:?}").into())
}

/// The key of a client; those of even numbers live in one of two loops, the others in the other one.
fn client_key(number: u8) -> PrivateKey {
    let keys = (0..=u8::MAX).map(|byte| {
        let mut bytes = [byte; 32];
        bytes[31] = number + 1;
        PrivateKey::from_bytes(bytes)
    });
    let mut fitting = keys.filter(|key| key.public_key().as_bytes()[0] & 1 == number & 1);
    fitting.next().unwrap_or(PrivateKey::from_bytes([1; 32]))
}

/// That of a client inside the tunnel.
fn address(number: u8) -> IpAddr {
    IpAddr::from([10, 77, 1, number])
}

fn run(
    down: bool,
    gigabytes: f64,
    obfuscation: &Parameters,
    workers: usize,
) -> Result<Figures, Failure> {
    let server_key = key(200);
    let others = shard_threads()?;
    let clients = (0..CLIENTS).map(|number| (client_key(number).public_key(), address(number)));
    let mut settings = server_settings(server_key.clone(), clients);
    settings.obfuscation = obfuscation.clone();
    settings.workers = Some(workers);
    let server = Arc::new(Engine::new(settings)?);
    server.start()?;
    // A thread has its name a moment after it began.
    let threads = loop {
        let threads: BTreeSet<_> = shard_threads()?.difference(&others).cloned().collect();
        if threads.len() == workers {
            break threads;
        }
        thread::yield_now();
    };
    let target = listen(down)?;
    let dialling = dial(&server);

    let mut clients = Vec::new();
    let mut streams = Vec::new();
    for number in 0..CLIENTS {
        let own = (client_key(number), address(number));
        let mut settings = client_settings(own.0, own.1, server_key.public_key(), &server)?;
        settings.obfuscation = obfuscation.clone();
        let client = Engine::new(settings)?;
        client.start()?;
        streams.push(connect(&client, target.port())?);
        clients.push(client);
    }

    #[allow(clippy::cast_sign_loss)] // A number of gigabytes is not negative.
    let share = (gigabytes * 1e9 / f64::from(CLIENTS)).round() as u64;
    let all = shard_threads()?;
    let before = (seconds(&threads)?, seconds(&all)?);
    let received = counter(&server, "transport_received")?;
    let start = Instant::now();
    let transfers: Vec<_> = streams
        .into_iter()
        .map(|stream| thread::spawn(move || transfer(stream, share, down)))
        .collect();
    for transfer in transfers {
        transfer.join().map_err(|_| "a transfer failed")??;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let total = share as f64 * f64::from(CLIENTS) / 1e9;
    let received = counter(&server, "transport_received")? - received;
    let figures = Figures {
        gigabits_per_second: total * 8.0 / elapsed,
        server_seconds: (seconds(&threads)? - before.0) / total,
        all_seconds: (seconds(&all)? - before.1) / total,
        handed_over: counter(&server, "transport_handed_over")? / received.max(1.0),
    };
    drop(clients);
    server.stop();
    dialling.join().map_err(|_| "dialling failed")?;
    Ok(figures)
}

fn counter(engine: &Engine, name: &str) -> Result<f64, Failure> {
    let snapshot = engine.snapshot()?;
    let found = snapshot.counters.iter().find(|(known, _)| known == name);
    Ok(found.map_or(0.0, |(_, count)| *count as f64))
}

fn listen(down: bool) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten().take(usize::from(CLIENTS)) {
            thread::spawn(move || {
                let mut block = vec![0x5a; BLOCK];
                if down {
                    // Waits for the word to begin.
                    let _ = stream.read_exact(&mut [0]);
                    while stream.write_all(&block).is_ok() {}
                } else {
                    while stream.read(&mut block).is_ok_and(|length| length > 0) {}
                    let _ = stream.write_all(&[1]);
                }
            });
        }
    });
    Ok(address)
}

/// Answers incoming flows by a connection to the same port of this machine, until all clients have theirs.
fn dial(server: &Arc<Engine>) -> thread::JoinHandle<()> {
    let server = Arc::clone(server);
    thread::spawn(move || {
        let mut dialled = 0;
        while dialled < CLIENTS {
            for event in server.take_events() {
                if let Event::FlowIncoming {
                    flow, destination, ..
                } = event
                    && let Ok(socket) =
                        TcpStream::connect((Ipv4Addr::LOCALHOST, destination.port()))
                {
                    let _ = server.attach(flow, socket.into());
                    dialled += 1;
                }
            }
            thread::yield_now();
        }
    })
}

fn transfer(mut stream: TcpStream, length: u64, down: bool) -> Result<(), Failure> {
    let mut block = vec![0; BLOCK];
    let mut left = length;
    if down {
        stream.write_all(&[1])?;
        while left > 0 {
            let part = stream.read(&mut block)? as u64;
            if part == 0 {
                return Err("the transfer ended early".into());
            }
            left = left.saturating_sub(part);
        }
    } else {
        while left > 0 {
            let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            stream.write_all(&block[..part])?;
            left -= part as u64;
        }
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.read_exact(&mut [0])?;
    }
    Ok(())
}

/// The engines' threads that there are.
fn shard_threads() -> Result<BTreeSet<std::path::PathBuf>, Failure> {
    let mut threads = BTreeSet::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        // A thread of the load may have ended since it was listed.
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with("awg-shard") {
            threads.insert(path);
        }
    }
    Ok(threads)
}

/// Processor seconds of threads, from `proc_pid_schedstat`.
fn seconds(threads: &BTreeSet<std::path::PathBuf>) -> Result<f64, Failure> {
    let mut sum = 0.0;
    for path in threads {
        let times = fs::read_to_string(path.join("schedstat"))?;
        let nanoseconds: f64 = times.split_whitespace().next().unwrap_or("0").parse()?;
        sum += nanoseconds / 1e9;
    }
    Ok(sum)
}
