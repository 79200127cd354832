//! How many small datagrams a second go through a SOCKS5 UDP association and back: an application, a client, a server and a
//! target that echoes, all on loopback in one process.
//!
//! ```text
//! cargo run --release -p awg-engine --example echoes -- [seconds] [datagrams under way] [bytes]
//! ```

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use awg_engine::transport::udp::UdpSettings;
use awg_engine::{Engine, EngineSettings, Event};
use awg_tunnel::{PeerConfig, PrivateKey};

/// How long an echo is waited for before it counts as lost.
const LOST: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
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
fn attach(server: &Engine) -> Result<(), Box<dyn Error>> {
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

fn engines() -> Result<(Engine, Engine), Box<dyn Error>> {
    let [client_key, server_key] = [1, 2].map(|byte| PrivateKey::from_bytes([byte; 32]));
    let udp = UdpSettings {
        address: Some(Ipv4Addr::LOCALHOST.into()),
        ..UdpSettings::default()
    };
    let mut settings = EngineSettings::new(server_key.clone());
    settings.addresses = vec!["10.77.0.1".parse()?];
    settings.udp = udp.clone();
    settings.accept_flows = true.into();
    settings.stay_connected = false;
    let peer = PeerConfig {
        allowed_ips: vec!["10.77.0.2/32".parse()?],
        ..PeerConfig::new(client_key.public_key())
    };
    settings.peers = vec![peer.into()];
    let server = Engine::new(settings)?;
    server.start()?;
    let mut settings = EngineSettings::new(client_key);
    settings.addresses = vec!["10.77.0.2".parse()?];
    settings.udp = udp;
    let peer = PeerConfig {
        allowed_ips: vec!["0.0.0.0/0".parse()?],
        endpoint: server.local_address().map(Into::into),
        ..PeerConfig::new(server_key.public_key())
    };
    settings.peers = vec![peer.into()];
    let client = Engine::new(settings)?;
    client.start()?;
    Ok((client, server))
}
