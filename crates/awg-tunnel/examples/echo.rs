//! A real handshake over a real socket: sends UDP datagrams through a tunnel to the echo service (port 7) of an AmneziaWG or
//! WireGuard server, over IPv4, and prints what comes back. It is a loop around [`Tunnel`] and nothing more: no retries, no TCP.
//!
//! `cargo run -p awg-tunnel --example echo -- PRIVATE_KEY SERVER_PUBLIC_KEY ENDPOINT OWN_ADDRESS SERVER_ADDRESS [Jc=4 S1=20 …]`

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use awg_tunnel::{Event, Now, Parameters, PeerConfig, PresharedKey, Seal, Tunnel, TunnelConfig};
use rand::TryRng;

const ECHOES: u8 = 5;
const HEADERS: usize = 28;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [private, public, endpoint, own, server, settings @ ..] = arguments.as_slice() else {
        return Err(
            "PRIVATE_KEY SERVER_PUBLIC_KEY ENDPOINT OWN_ADDRESS SERVER_ADDRESS [NAME=VALUE …]"
                .into(),
        );
    };
    let (own, server): (Ipv4Addr, Ipv4Addr) = (own.parse()?, server.parse()?);
    let mut preshared_key: Option<PresharedKey> = None;
    let mut pairs = Vec::new();
    for setting in settings {
        match setting.split_once('=').ok_or("a setting is NAME=VALUE")? {
            ("PresharedKey", value) => preshared_key = Some(value.parse()?),
            pair => pairs.push(pair),
        }
    }
    let parameters = Parameters::from_settings(pairs).map_err(|errors| format!("{errors:?}"))?;
    let mut seed = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut seed)?;
    let mut tunnel = Tunnel::new(
        TunnelConfig::new(private.parse()?, parameters, 1280),
        seed,
        now()?,
    )?;
    let endpoint: SocketAddr = endpoint.parse()?;
    let peer = tunnel.add_peer(
        now()?,
        PeerConfig {
            preshared_key,
            endpoint: Some(endpoint.into()),
            allowed_ips: vec![IpAddr::from(server).into()],
            ..PeerConfig::new(public.parse()?)
        },
    )?;
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    let mut buffer = vec![0; 65_536];
    for number in 0..ECHOES {
        let packet = udp_packet(own, server, &[b'0' + number; 100]);
        let headroom = tunnel.headroom(peer);
        buffer[headroom..headroom + packet.len()].copy_from_slice(&packet);
        if let Seal::Sealed { to, len } = tunnel.seal(now()?, peer, &mut buffer, packet.len()) {
            socket.send_to(&buffer[..len], to.remote)?;
        }
        echo(&mut tunnel, &socket, &mut buffer, number)?;
    }
    Ok(())
}

/// Runs the tunnel until the echo of `number` came.
fn echo(
    tunnel: &mut Tunnel,
    socket: &UdpSocket,
    buffer: &mut [u8],
    number: u8,
) -> Result<(), Box<dyn Error>> {
    let mut datagram = Vec::new();
    loop {
        tunnel.handle_timeout(now()?);
        while let Some(to) = tunnel.poll_transmit(now()?, &mut datagram) {
            println!("sent {} bytes", datagram.len());
            socket.send_to(&datagram, to.remote)?;
        }
        while let Some(event) = tunnel.poll_event() {
            println!("{event:?}");
            if let Event::HandshakeFailed { cause, .. } = event {
                return Err(cause.hint().into());
            }
        }
        let wait = tunnel
            .next_timeout()
            .map(|at| at.saturating_duration_since(Instant::now()));
        socket.set_read_timeout(wait.map(|wait| wait.max(Duration::from_millis(1))))?;
        match socket.recv_from(buffer) {
            Ok((size, from)) => {
                let inbound = tunnel.handle_datagram(now()?, from, &mut buffer[..size]);
                if let Some(payload) = inbound
                    .as_ref()
                    .and_then(|inbound| inbound.packet.get(HEADERS..))
                {
                    println!("echo of {} bytes", payload.len());
                    if payload == [b'0' + number; 100] {
                        return Ok(());
                    }
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn now() -> Result<Now, std::time::SystemTimeError> {
    Ok(Now {
        instant: Instant::now(),
        unix: SystemTime::now().duration_since(UNIX_EPOCH)?,
    })
}

/// From port 7000 to port 7, without the UDP checksum, which IPv4 allows.
fn udp_packet(from: Ipv4Addr, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; HEADERS];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&((HEADERS + payload.len()) as u16).to_be_bytes());
    packet[8] = 64;
    packet[9] = 17;
    packet[12..16].copy_from_slice(&from.octets());
    packet[16..20].copy_from_slice(&to.octets());
    let words = packet[..20]
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet[20..22].copy_from_slice(&7000u16.to_be_bytes());
    packet[22..24].copy_from_slice(&7u16.to_be_bytes());
    packet[24..26].copy_from_slice(&((8 + payload.len()) as u16).to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}
