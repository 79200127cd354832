//! A peer on a UDP socket, for the two programs: blocking, one peer, one thread.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use awg_obfuscation::{Obfuscation, Parameters};
use boringtun::noise::Tunn;
use boringtun::x25519::{PublicKey, StaticSecret};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::adapter::Adapter;
use crate::peer::{Output, Peer};

/// How often boringtun looks at its timers.
const TICK: Duration = Duration::from_millis(250);

/// A peer and the socket that it is reached by.
pub struct Endpoint {
    peer: Peer,
    socket: UdpSocket,
    /// Where the peer is, as far as known.
    remote: Option<SocketAddr>,
    datagram: Vec<u8>,
}

impl Endpoint {
    /// Puts a peer on a socket; `remote` is where the peer is, if that is known before it is heard of.
    ///
    /// # Errors
    /// The system's, where it does not take a timeout.
    pub fn new(peer: Peer, socket: UdpSocket, remote: Option<SocketAddr>) -> io::Result<Self> {
        socket.set_read_timeout(Some(TICK))?;
        Ok(Self {
            peer,
            socket,
            remote,
            datagram: vec![0; 1 << 16],
        })
    }

    /// Sends an inner packet.
    ///
    /// # Errors
    /// The socket's.
    pub fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        let output = self.peer.send(packet, unix());
        self.transmit(&output, self.remote)
    }

    /// Waits for a datagram, not longer than a quarter of a second, and does what is due. The inner packets that came.
    ///
    /// # Errors
    /// The socket's.
    pub fn step(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let output = self.peer.tick(unix());
        self.transmit(&output, self.remote)?;
        let (size, from) = match self.socket.recv_from(&mut self.datagram) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let datagram = self.datagram.get_mut(..size).unwrap_or_default();
        let output = self.peer.receive(from.ip(), datagram, unix());
        // What a datagram is answered with goes where it came from; that the peer is there only its packets prove.
        if !output.packets.is_empty() {
            self.remote = Some(from);
        }
        self.transmit(&output, Some(from))?;
        Ok(output.packets)
    }

    fn transmit(&self, output: &Output, to: Option<SocketAddr>) -> io::Result<()> {
        if let Some(to) = to {
            for datagram in &output.datagrams {
                self.socket.send_to(datagram, to)?;
            }
        }
        Ok(())
    }
}

/// One of the two ends of the demonstration, 1 or 2, with settings written as `NAME=VALUE`.
///
/// The keys are made of these numbers and protect nothing.
///
/// # Errors
/// What is wrong with the settings, or that the system gives no random bytes.
pub fn demonstration(number: u8, settings: &[String]) -> Result<Peer, Box<dyn Error>> {
    let mut pairs = Vec::new();
    for setting in settings {
        let pair = setting.split_once('=');
        pairs.push(pair.ok_or_else(|| format!("`{setting}` is not of the form NAME=VALUE"))?);
    }
    let parameters = Parameters::from_settings(pairs).map_err(|errors| {
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        texts.join("\n")
    })?;
    let obfuscation = Obfuscation::new(parameters).map_err(|errors| format!("{errors:?}"))?;
    let own = StaticSecret::from([number; 32]);
    let (public, other) = (
        PublicKey::from(&own),
        PublicKey::from(&StaticSecret::from([3 - number; 32])),
    );
    let rng = StdRng::try_from_rng(&mut SysRng)?;
    let adapter = Adapter::new(obfuscation, public.as_bytes(), other.as_bytes(), rng);
    let tunn = Tunn::new(own, other, None, None, number.into(), None);
    Ok(Peer::new(tunn, adapter))
}

fn unix() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
