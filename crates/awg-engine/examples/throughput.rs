//! Pushes bytes through a client and a server engine over loopback, and prints what it cost.
//!
//! ```text
//! cargo run --release -p awg-engine --example throughput -- [down|up] [gigabytes] [streams] [auto|portable] [plain|awg2|awg3] \
//!     [ports] [ip|quic]
//! ```
//!
//! The cost is the processor time of the two engines' threads alone, not that of the load, so it can be held against other
//! numbers in CPU seconds per GB; Linux only. With ports, the server listens on so many, and the client takes another one every second. Beside the bulk a request-response connection measures its delay.

mod ends;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use awg_engine::transport::udp::UdpKind;
use awg_engine::{Carrier, Engine, Event};
use awg_tunnel::{Interval, Parameters, PortHop};
use ends::{Failure, SERVER, client_settings, connect, key, server_settings};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));
/// Where the server takes carried connections.
const CARRIER: SocketAddr = SocketAddr::new(SERVER, 51_443);
const BLOCK: usize = 256 * 1024;
/// Where the server listens, if at several ports.
const FIRST_PORT: u16 = 20_000;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let down = arguments.next().is_none_or(|direction| direction == "down");
    let gigabytes: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let streams: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let kind = match arguments.next().as_deref() {
        Some("portable") => UdpKind::Portable,
        _ => UdpKind::Auto,
    };
    let obfuscation = parameters(arguments.next().as_deref())?;
    let ports = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let carrier = match arguments.next().as_deref() {
        Some("quic") => Carrier::Quic,
        _ => Carrier::Ip,
    };
    let (client, server) = engines(kind, &obfuscation, ports, carrier)?;
    let share = (gigabytes * 1e9 / streams as f64).round();
    #[allow(clippy::cast_sign_loss)] // A number of gigabytes is not negative.
    let share = share as u64;

    let sink = listen(if down { source } else { drain })?;
    let echo = listen(|mut stream, _| {
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
    })?;
    dial(&server);

    let mut probe = connect(&client, echo.port())?;
    let idle = round_trips(&mut probe, || false, 200)?;
    let done = Arc::new(AtomicBool::new(false));
    let before = processor_time()?;
    let start = Instant::now();
    let transfers: Vec<_> = (0..streams)
        .map(|_| {
            let stream = connect(&client, sink.port())?;
            Ok(thread::spawn(move || transfer(stream, share, down)))
        })
        .collect::<Result<_, Failure>>()?;
    let finished = Arc::clone(&done);
    let probing = thread::spawn(move || {
        round_trips(&mut probe, || finished.load(Ordering::Relaxed), usize::MAX)
    });
    for transfer in transfers {
        transfer.join().map_err(|_| "a transfer failed")??;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let cost = processor_time()? - before;
    done.store(true, Ordering::Relaxed);
    let loaded = probing.join().map_err(|_| "the probe failed")??;

    let total = share as f64 * streams as f64;
    println!(
        "{} {:.1} GB in {streams} stream(s): {:.2} Gbit/s, {:.2} CPU s/GB (client {:.2}, server {:.2})",
        if down { "down" } else { "up" },
        total / 1e9,
        total * 8.0 / elapsed / 1e9,
        cost.total() / total * 1e9,
        cost.client / total * 1e9,
        cost.server / total * 1e9,
    );
    println!("request-response: idle {idle}; during the transfer {loaded}");
    for (name, engine) in [("client", &client), ("server", &server)] {
        let snapshot = engine.snapshot()?;
        let shown: Vec<String> = snapshot
            .counters
            .iter()
            .filter(|(counter, value)| {
                *value > 0
                    && [
                        "transport_",
                        "carrier_",
                        "stack_tcp_fast",
                        "stack_tcp_retrans",
                        "stack_packets",
                    ]
                    .iter()
                    .any(|prefix| counter.starts_with(prefix))
            })
            .map(|(counter, value)| format!("{counter} {value}"))
            .collect();
        println!("{name}: {}", shown.join(", "));
    }
    client.stop();
    server.stop();
    Ok(())
}

/// Parameters as they are handed out: those of 2.0, and with them those of 3.x.
fn parameters(version: Option<&str>) -> Result<Parameters, Failure> {
    const AWG2: [(&str, &str); 11] = [
        ("Jc", "4"),
        ("Jmin", "40"),
        ("Jmax", "90"),
        ("S1", "31"),
        ("S2", "31"),
        ("S3", "31"),
        ("S4", "16"),
        ("H1", "100000-199999"),
        ("H2", "1000000000-1000000999"),
        ("H3", "2147483648-2147500000"),
        ("H4", "3000000000-4294967295"),
    ];
    const AWG3: [(&str, &str); 4] = [
        (
            "HeaderProtectionKey",
            "cLfc8enkw2a01FGI5gD9Gv69+49YuvNioq96svN59MA=",
        ),
        ("ContentPaddingAddition", "0-60"),
        ("RandomTrailers", "true"),
        ("DisableCookies", "true"),
    ];
    let settings = match version {
        Some("awg2") => AWG2.to_vec(),
        Some("awg3") => [AWG2.as_slice(), &AWG3].concat(),
        _ => Vec::new(),
    };
    Parameters::from_settings(settings).map_err(|errors| format!("{errors:?}").into())
}

fn engines(
    kind: UdpKind,
    obfuscation: &Parameters,
    ports: u16,
    carrier: Carrier,
) -> Result<(Arc<Engine>, Arc<Engine>), Failure> {
    let (client_key, server_key) = (key(1), key(2));
    let clients = [(client_key.public_key(), CLIENT)];
    let mut settings = server_settings(server_key.clone(), clients);
    settings.obfuscation = obfuscation.clone();
    settings.udp.kind = kind;
    settings.ports = (FIRST_PORT..FIRST_PORT + ports).collect();
    settings.carrier_port = Some(CARRIER.port());
    let server = Engine::new(settings)?;
    server.start()?;
    let mut settings = client_settings(client_key, CLIENT, server_key.public_key(), &server)?;
    settings.carrier = carrier;
    settings.obfuscation = obfuscation.clone();
    settings.udp.kind = kind;
    for peer in &mut settings.peers {
        peer.carrier_address = Some(CARRIER);
        peer.config.hop = (ports > 0).then(|| PortHop {
            ports: FIRST_PORT..=FIRST_PORT + ports - 1,
            every: Interval::every(1),
        });
    }
    let client = Engine::new(settings)?;
    client.start()?;
    Ok((Arc::new(client), Arc::new(server)))
}

fn listen(serve: fn(TcpStream, u64)) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            thread::spawn(move || serve(stream, u64::MAX));
        }
    });
    Ok(address)
}

fn source(mut stream: TcpStream, length: u64) {
    let block = vec![0x5a; BLOCK];
    let mut left = length;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        if stream.write_all(&block[..part]).is_err() {
            break;
        }
        left -= part as u64;
    }
}

fn drain(mut stream: TcpStream, _: u64) {
    let mut block = vec![0; BLOCK];
    while stream.read(&mut block).is_ok_and(|length| length > 0) {}
    // Tells that all has arrived.
    let _ = stream.write_all(&[1]);
}

/// Answers every incoming flow by a connection to the same port of this machine.
fn dial(server: &Arc<Engine>) {
    let server = Arc::clone(server);
    thread::spawn(move || {
        loop {
            for event in server.take_events() {
                if let Event::FlowIncoming {
                    flow, destination, ..
                } = event
                    && let Ok(socket) =
                        TcpStream::connect((Ipv4Addr::LOCALHOST, destination.port()))
                {
                    let _ = socket.set_nodelay(true);
                    let _ = server.attach(flow, socket.into());
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
}

fn transfer(mut stream: TcpStream, length: u64, down: bool) -> Result<(), Failure> {
    if down {
        let mut block = vec![0; BLOCK];
        let mut left = length;
        while left > 0 {
            let part = stream.read(&mut block)? as u64;
            if part == 0 {
                return Err("the transfer ended early".into());
            }
            left = left.saturating_sub(part);
        }
    } else {
        source(stream.try_clone()?, length);
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.read_exact(&mut [0])?;
    }
    Ok(())
}

fn round_trips(
    probe: &mut TcpStream,
    done: impl Fn() -> bool,
    most: usize,
) -> Result<String, Failure> {
    let mut times = Vec::new();
    while times.len() < most && !done() {
        let start = Instant::now();
        probe.write_all(&[7])?;
        probe.read_exact(&mut [0])?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |part: f64| {
        #[allow(clippy::cast_sign_loss)] // A part of a length is not negative.
        let place = (times.len() as f64 * part) as usize;
        times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Ok(format!(
        "p50 {:.2} ms, p99 {:.2} ms ({} times)",
        at(0.5),
        at(0.99),
        times.len()
    ))
}

/// Processor seconds of the engines' threads, by their order of birth.
struct Cost {
    client: f64,
    server: f64,
}

impl Cost {
    fn total(&self) -> f64 {
        self.client + self.server
    }
}

impl std::ops::Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            client: self.client - other.client,
            server: self.server - other.server,
        }
    }
}

fn processor_time() -> Result<Cost, Failure> {
    let mut threads = Vec::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        // A thread of the load may have ended since it was listed.
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with("awg-shard") {
            // proc_pid_schedstat: nanoseconds on the processor come first.
            let times = fs::read_to_string(path.join("schedstat"))?;
            let nanoseconds: f64 = times.split_whitespace().next().unwrap_or("0").parse()?;
            threads.push((path, nanoseconds / 1e9));
        }
    }
    threads.sort_by(|(left, _), (right, _)| left.cmp(right));
    match &*threads {
        [(_, server), (_, client)] => Ok(Cost {
            client: *client,
            server: *server,
        }),
        _ => Err("not two engines".into()),
    }
}
