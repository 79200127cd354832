//! The two ends that the examples measure, on loopback: how they are set up, and how an application is connected.

use std::error::Error;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use awg_engine::transport::udp::UdpSettings;
use awg_engine::{Engine, EngineSettings, Replies};
use awg_tunnel::{PeerConfig, PrivateKey, PublicKey};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
/// Stands for this machine on the other end of the tunnel.
pub(crate) const TARGET: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

/// A key for a measurement; nothing secret passes.
pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

/// A server of clients that each have one address.
pub(crate) fn server_settings(
    key: PrivateKey,
    clients: impl IntoIterator<Item = (PublicKey, IpAddr)>,
) -> EngineSettings {
    let mut settings = EngineSettings::new(key);
    settings.addresses = vec![SERVER];
    settings.udp = loopback();
    settings.accept_flows = true.into();
    settings.stay_connected = false;
    for (key, address) in clients {
        let peer = PeerConfig {
            allowed_ips: vec![address.into()],
            ..PeerConfig::new(key)
        };
        settings.peers.push(peer.into());
    }
    settings
}

/// A client of a server that has started.
pub(crate) fn client_settings(
    key: PrivateKey,
    address: IpAddr,
    server_key: PublicKey,
    server: &Engine,
) -> Result<EngineSettings, Failure> {
    let mut settings = EngineSettings::new(key);
    settings.addresses = vec![address];
    settings.udp = loopback();
    let peer = PeerConfig {
        allowed_ips: vec!["0.0.0.0/0".parse()?],
        endpoint: server.local_address().map(Into::into),
        ..PeerConfig::new(server_key)
    };
    settings.peers = vec![peer.into()];
    Ok(settings)
}

fn loopback() -> UdpSettings {
    UdpSettings {
        address: Some(Ipv4Addr::LOCALHOST.into()),
        ..UdpSettings::default()
    }
}

/// An application's end of a connection to a port of [`TARGET`].
#[allow(dead_code)] // Not every example has connections.
pub(crate) fn connect(client: &Engine, port: u16) -> Result<TcpStream, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut application = TcpStream::connect(listener.local_addr()?)?;
    application.set_nodelay(true)?;
    let (ours, _) = listener.accept()?;
    let replies = Replies {
        succeeded: vec![b'+'],
        failed: vec![b'-'],
        ..Replies::default()
    };
    let destination = SocketAddr::new(TARGET, port);
    client.open([destination], ours.into(), Vec::new(), replies)?;
    let mut reply = [0];
    application.read_exact(&mut reply)?;
    if reply == *b"+" {
        Ok(application)
    } else {
        Err("the connection was refused".into())
    }
}
