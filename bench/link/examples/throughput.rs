//! What the emulator itself carries and costs: datagrams of 1,450 bytes over loopback, through it, to a socket that
//! counts them. `cargo run --release -p awg-link --example throughput [Gbit/s offered …]`.

#[cfg(target_os = "linux")]
mod measure {
    use std::io;
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use awg_link::Conditions;
    use awg_link::linux::Emulator;
    use awg_link::linux::udp::UdpEnds;
    use quinn_udp::{Transmit, UdpSocketState};

    const DATAGRAM: usize = 1_450;
    const TOGETHER: usize = 44;
    const WINDOW: Duration = Duration::from_secs(4);
    const NEVER_READABLE: i32 = -1;

    fn thread_time() -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer outlives the call.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        Duration::new(
            time.tv_sec.unsigned_abs(),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }

    fn bound() -> io::Result<(socket2::Socket, UdpSocketState, SocketAddr)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let socket = socket2::Socket::from(socket);
        let _ = socket.set_recv_buffer_size(16 << 20);
        let state = UdpSocketState::new((&socket).into())?;
        Ok((socket, state, address))
    }

    /// Gbit/s that arrived of so many that were offered, and what share of a core the emulator took.
    fn carried(conditions: Conditions, offered: f64) -> io::Result<(f64, f64)> {
        let (to, _, server) = bound()?;
        to.set_nonblocking(false)?;
        let (from, from_state, _) = bound()?;
        let ends = UdpEnds::new((Ipv4Addr::LOCALHOST, 0).into(), None, server, None, None)?;
        let destination = ends.listening()?;
        let mut emulator = Emulator::new(ends, [conditions; 2], 1, Duration::from_micros(200));
        let over = Arc::new(AtomicBool::new(false));
        let link = thread::spawn({
            let over = Arc::clone(&over);
            move || {
                while !over.load(Ordering::Relaxed) {
                    emulator.turn(NEVER_READABLE).expect("working sockets");
                }
                thread_time()
            }
        });
        let bytes = Arc::new(AtomicU64::new(0));
        thread::spawn({
            let bytes = Arc::clone(&bytes);
            move || {
                let mut buffer = vec![std::mem::MaybeUninit::uninit(); 1 << 16];
                while let Ok(len) = to.recv(&mut buffer) {
                    bytes.fetch_add(len as u64, Ordering::Relaxed);
                }
            }
        });
        let contents = vec![0; DATAGRAM * TOGETHER];
        let (begun, mut sent) = (Instant::now(), 0.0);
        while begun.elapsed() < WINDOW {
            let due = begun.elapsed().as_secs_f64() * offered * 1e9 / 8.0;
            while sent < due {
                let transmit = Transmit {
                    destination,
                    ecn: None,
                    contents: &contents,
                    segment_size: Some(DATAGRAM),
                    src_ip: None,
                };
                let _ = from_state.try_send((&from).into(), &transmit);
                sent += contents.len() as f64;
            }
            thread::sleep(Duration::from_micros(300));
        }
        let took = begun.elapsed().as_secs_f64();
        let arrived = bytes.load(Ordering::Relaxed) as f64 * 8.0 / took / 1e9;
        over.store(true, Ordering::Relaxed);
        // It may be asleep until something comes.
        let _ = from.send_to(&[0], &destination.into());
        let used = link.join().expect("it does not panic").as_secs_f64();
        Ok((arrived, used / took))
    }

    pub(super) fn run() -> io::Result<()> {
        let asked: Vec<f64> = std::env::args()
            .skip(1)
            .filter_map(|word| word.parse().ok())
            .collect();
        let offers = if asked.is_empty() {
            vec![0.5, 1.0, 2.0]
        } else {
            asked
        };
        let plain = Conditions::default();
        let harmed = Conditions {
            delay: Duration::from_millis(25),
            loss: 0.01,
            ..plain
        };
        println!("offered      plain: Gbit/s, of a core      25 ms, 1 % loss: Gbit/s, of a core");
        for offered in offers {
            let (one, other) = (carried(plain, offered)?, carried(harmed, offered)?);
            println!(
                "{offered:7.2} {:20.2} {:11.2} {:27.2} {:11.2}",
                one.0, one.1, other.0, other.1
            );
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    measure::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("awg-link needs Linux");
}
