//! How many small datagrams a second go through a SOCKS5 UDP association and back: an application, a client, a server and a
//! target that echoes, all on loopback in one process.
//!
//! ```text
//! cargo run --release -p awg-engine --example echoes -- [seconds] [datagrams under way] [bytes]
//! ```

mod ends;

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use awg_engine::{Engine, Event};
use ends::{Failure, client_settings, key, server_settings};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));

/// How long an echo is waited for before it counts as lost.
const LOST: Duration = Duration::from_millis(100);

fn main() -> Result<(), Failure> {
    let mut arguments = env::args()
        .skip(1)
        .map(|argument| argument.parse::<usize>());
    let mut next = |default: usize| arguments.next().unwrap_or(Ok(default));
    let (seconds, window, bytes) = (next(5)?, next(64)?, next(64)?);

    let (client, server) = engines()?;
    let target = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = target.local_addr()?;
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = target.recv_from(&mut buffer) {
            let _ = target.send_to(&buffer[..length], from);
        }
    });

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let _control = TcpStream::connect(listener.local_addr()?)?;
    let (control, _) = listener.accept()?;
    let relay = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let application = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    application.connect(relay.local_addr()?)?;
    application.set_read_timeout(Some(LOST))?;
    let local = Ipv4Addr::LOCALHOST.into();
    client
        .open_association(control.into(), relay.into(), local, 0)
        .map_err(|(error, _)| error)?;

    let datagram = datagram(address, bytes);
    let mut buffer = [0; 2048];
    application.send(&datagram)?;
    attach(&server)?;
    while application.recv(&mut buffer).is_err() {
        application.send(&datagram)?;
    }
    let (mut echoes, mut lost) = (0_u64, 0_u64);
    let begun = Instant::now();
    for _ in 0..window {
        application.send(&datagram)?;
    }
    while begun.elapsed() < Duration::from_secs(seconds as u64) {
        if application.recv(&mut buffer).is_ok() {
            echoes += 1;
            application.send(&datagram)?;
        } else {
            lost += window as u64;
            for _ in 0..window {
                application.send(&datagram)?;
            }
        }
    }
    let rate = echoes as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} echoes of {bytes} bytes a second, {window} under way, {lost} lost");
    Ok(())
}

/// What the application sends: SOCKS5's header and zeros.
fn datagram(target: SocketAddr, bytes: usize) -> Vec<u8> {
    let mut datagram = vec![0, 0, 0, 1, 127, 0, 0, 1];
    datagram.extend(target.port().to_be_bytes());
    datagram.resize(datagram.len() + bytes, 0);
    datagram
}

/// Gives the server's first flow of datagrams its socket.
fn attach(server: &Engine) -> Result<(), Failure> {
    loop {
        for event in server.take_events() {
            if let Event::FlowIncoming { flow, .. } = event {
                let outer = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
                return Ok(server.attach(flow, outer.into())?);
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn engines() -> Result<(Engine, Engine), Failure> {
    let (client_key, server_key) = (key(1), key(2));
    let clients = [(client_key.public_key(), CLIENT)];
    let server = Engine::new(server_settings(server_key.clone(), clients))?;
    server.start()?;
    let settings = client_settings(client_key, CLIENT, server_key.public_key(), &server)?;
    let client = Engine::new(settings)?;
    client.start()?;
    Ok((client, server))
}
