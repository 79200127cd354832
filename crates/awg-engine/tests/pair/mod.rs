//! Two engines over loopback UDP, a client and a server, with real sockets on both sides; and what tests need to wait for
//! events without sleeping.
#![allow(dead_code)] // Every test file uses its own part.

pub(crate) mod carried;
mod path;
pub(crate) mod target;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use awg_engine::transport::udp::{UdpKind, UdpSettings};
use awg_engine::{
    Carrier, EgressPolicy, Engine, EngineSettings, Event, FlowId, Kind, NotTaken, Outcome, Refusal,
    Replies, Traffic,
};
use awg_tunnel::{PeerConfig, PrivateKey};
use path::Path;
use rand::SeedableRng;
use rand::rngs::StdRng;
use socket2::{Domain, SockRef, Socket, Type};
use target::Target;

/// How long a test waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The tunnel addresses.
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));
pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

/// What stands for this machine on the other end of the tunnel.
pub(crate) const TARGET: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

/// A port of this machine, seen from the other end of the tunnel.
pub(crate) fn through_the_tunnel(port: u16) -> SocketAddr {
    SocketAddr::new(TARGET, port)
}

/// An engine and the events taken from it that no test has asked for yet.
pub(crate) struct Node {
    pub(crate) engine: Arc<Engine>,
    kept: Mutex<Vec<Event>>,
}

impl Node {
    pub(crate) fn new(settings: EngineSettings) -> Self {
        Self {
            engine: Arc::new(Engine::new(settings).expect("sound settings")),
            kept: Mutex::default(),
        }
    }

    /// Waits for the first event for which `matcher` gives something. Others are kept for later questions.
    pub(crate) fn wait<T>(&self, what: &str, mut matcher: impl FnMut(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut kept = self.kept.lock().unwrap();
            kept.extend(self.engine.take_events());
            if let Some((place, found)) = kept
                .iter()
                .enumerate()
                .find_map(|(place, event)| matcher(event).map(|found| (place, found)))
            {
                kept.remove(place);
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what}; other events: {kept:#?}");
            drop(kept);
            wait_readable(&self.engine.event_fd(), left);
        }
    }

    pub(crate) fn wait_session(&self) {
        self.wait("session", |event| {
            matches!(event, Event::HandshakeCompleted { .. }).then_some(())
        });
    }

    pub(crate) fn wait_carrier(&self) {
        self.wait("carrier", |event| {
            matches!(event, Event::CarrierUp { .. }).then_some(())
        });
    }

    pub(crate) fn wait_closed(&self, flow: FlowId) -> (Outcome, Traffic) {
        self.wait("end of the flow", |event| match event {
            Event::FlowClosed {
                flow: closed,
                outcome,
                traffic,
                ..
            } if *closed == flow => Some((*outcome, *traffic)),
            _ => None,
        })
    }

    pub(crate) fn wait_refused(&self, flow: FlowId) -> Refusal {
        self.wait("refusal", |event| match event {
            Event::FlowRefused {
                flow: refused,
                reason,
            } if *refused == flow => Some(*reason),
            _ => None,
        })
    }

    pub(crate) fn wait_connected(&self, flow: FlowId) -> SocketAddr {
        self.wait("connection", |event| match event {
            Event::FlowConnected {
                flow: connected,
                destination,
            } if *connected == flow => destination.address(),
            _ => None,
        })
    }

    /// Waits for a TCP flow of a peer to whatever target.
    pub(crate) fn wait_target(&self) -> (FlowId, awg_engine::Target) {
        self.wait("incoming connection", |event| match event {
            Event::FlowIncoming {
                flow,
                kind: Kind::Tcp,
                destination,
                ..
            } => Some((*flow, destination.clone())),
            _ => None,
        })
    }

    pub(crate) fn wait_incoming(&self) -> Incoming {
        self.wait("incoming flow", |event| match event {
            Event::FlowIncoming {
                flow,
                kind,
                source,
                destination,
                to_self,
                ..
            } => Some(Incoming {
                flow: *flow,
                kind: *kind,
                source: *source,
                destination: destination.address()?,
                to_self: *to_self,
            }),
            _ => None,
        })
    }

    /// Waits until `condition` holds, looking again with each turn of the engine that a snapshot takes.
    pub(crate) fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            thread::yield_now();
        }
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        let snapshot = self.engine.snapshot().expect("a snapshot");
        snapshot
            .counters
            .iter()
            .find(|(counter, _)| counter == name)
            .unwrap_or_else(|| panic!("no counter {name}"))
            .1
    }
}

/// What a `FlowIncoming` for an address says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    pub(crate) flow: FlowId,
    pub(crate) kind: Kind,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) to_self: bool,
}

pub(crate) fn wait_readable(descriptor: &impl AsRawFd, patience: Duration) -> bool {
    let mut entry = libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let milliseconds = i32::try_from(patience.as_millis())
        .unwrap_or(i32::MAX)
        .max(1);
    // SAFETY: one valid entry, and the call does not keep it.
    unsafe { libc::poll(&raw mut entry, 1, milliseconds) == 1 }
}

/// Where the server takes carried connections.
pub(crate) const CARRIER: SocketAddr = SocketAddr::new(SERVER, 51443);

/// Whether connections and associations are to ride on a carrier: in the tests of `carried.rs`, which are those of others again.
pub(crate) fn is_carried() -> bool {
    env!("CARGO_CRATE_NAME") == "carried"
}

/// Has the client of a pair ask for a carrier.
pub(crate) fn ask_for_carrier(settings: &mut EngineSettings) {
    settings.carrier = Carrier::Quic;
    settings.peers[0].carrier_address = Some(CARRIER);
}

/// Has the server of a pair take carried connections.
pub(crate) fn take_carried(settings: &mut EngineSettings) {
    settings.carrier_port = Some(CARRIER.port());
}

/// How a pair differs from the usual.
pub(crate) struct Options {
    pub(crate) udp: UdpKind,
    pub(crate) egress: EgressPolicy,
    /// A path between the two that loses datagrams with this probability; without one they are neighbours.
    pub(crate) loss: Option<f64>,
    pub(crate) client: fn(&mut EngineSettings),
    pub(crate) server: fn(&mut EngineSettings),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            udp: UdpKind::Auto,
            egress: EgressPolicy::default(),
            loss: None,
            client: |_| {},
            server: |_| {},
        }
    }
}

/// A client and a server, started.
pub(crate) struct Pair {
    pub(crate) client: Node,
    pub(crate) server: Node,
    /// What they were built from.
    pub(crate) client_settings: EngineSettings,
    pub(crate) server_settings: EngineSettings,
    pub(crate) client_peer: PeerConfig,
    pub(crate) server_peer: PeerConfig,
    pub(crate) path: Option<Path>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let mut rng = StdRng::from_seed([7; 32]);
        let client_key = PrivateKey::generate(&mut rng);
        let server_key = PrivateKey::generate(&mut rng);
        let loopback = UdpSettings {
            address: Some(Ipv4Addr::LOCALHOST.into()),
            kind: options.udp,
            ..UdpSettings::default()
        };

        let mut settings = EngineSettings::new(server_key.clone());
        settings.addresses = vec![SERVER];
        settings.udp = loopback.clone();
        settings.accept_flows = true.into();
        settings.stay_connected = false;
        settings.egress = options.egress;
        let client_peer = PeerConfig {
            allowed_ips: vec!["10.77.0.2/32".parse().unwrap()],
            ..PeerConfig::new(client_key.public_key())
        };
        settings.peers = vec![client_peer.clone().into()];
        if is_carried() {
            take_carried(&mut settings);
        }
        (options.server)(&mut settings);
        let server_settings = settings.clone();
        let server = Node::new(settings);
        server.engine.start().expect("the server starts");
        let address = server.engine.local_address().expect("a bound server");
        let path = options.loss.map(|loss| Path::new(address, loss));

        let mut settings = EngineSettings::new(client_key);
        settings.addresses = vec![CLIENT];
        settings.udp = loopback;
        let server_peer = PeerConfig {
            allowed_ips: ["10.77.0.0/24", "198.51.100.0/24", "127.0.0.0/8"]
                .map(|network| network.parse().unwrap())
                .to_vec(),
            endpoint: Some(path.as_ref().map_or(address, |path| path.entrance).into()),
            ..PeerConfig::new(server_key.public_key())
        };
        settings.peers = vec![server_peer.clone().into()];
        if is_carried() {
            ask_for_carrier(&mut settings);
        }
        (options.client)(&mut settings);
        let client = Node::new(settings.clone());
        client.engine.start().expect("the client starts");
        if is_carried() {
            client.wait_carrier();
        }
        Self {
            client,
            server,
            client_settings: settings,
            server_settings,
            client_peer,
            server_peer,
            path,
        }
    }

    pub(crate) fn some_key() -> PrivateKey {
        PrivateKey::generate(&mut StdRng::from_seed([9; 32]))
    }

    /// Opens a connection for a fresh application to `destinations`; gives the flow and the application's end.
    pub(crate) fn open(&self, destinations: &[SocketAddr], early: &[u8]) -> (FlowId, TcpStream) {
        let (application, ours) = tcp_pair();
        let flow = self.try_open(destinations, ours.into(), early);
        (flow.expect("the command is taken"), application)
    }

    /// Opens a connection for the caller; gives the flow and a stream of the connection's own bytes alone.
    pub(crate) fn open_stream(&self, destination: SocketAddr) -> (FlowId, OwnedFd) {
        let opened = self.client.engine.open_stream([destination]);
        opened.expect("the command is taken")
    }

    /// Asks for a connection for the application at the other end of `ours`.
    pub(crate) fn try_open(
        &self,
        destinations: &[SocketAddr],
        ours: OwnedFd,
        early: &[u8],
    ) -> Result<FlowId, NotTaken> {
        let (destinations, early) = (destinations.iter().copied(), early.to_vec());
        let engine = &self.client.engine;
        engine.open(destinations, ours, early, replies())
    }

    /// Waits for a TCP flow at the server and lets it out to `target` on this machine.
    pub(crate) fn let_out(&self, target: SocketAddr) -> Incoming {
        let incoming = self.server.wait_incoming();
        self.server
            .engine
            .attach(incoming.flow, begin_connect(target))
            .expect("the command is taken");
        incoming
    }

    /// Waits for a UDP flow at the server and lets it out by a socket of its own.
    pub(crate) fn let_datagrams_out(&self) -> Incoming {
        let incoming = self.server.wait_incoming();
        self.attach_datagrams(incoming.flow);
        incoming
    }

    /// Lets a UDP flow of the server out by a socket of its own.
    pub(crate) fn attach_datagrams(&self, flow: FlowId) {
        let outer = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        self.server
            .engine
            .attach(flow, outer.into())
            .expect("the command is taken");
    }

    /// Opens a flow of datagrams for an application; gives the flow and the application's end.
    pub(crate) fn open_datagrams(&self, destination: SocketAddr) -> (FlowId, UnixDatagram) {
        let opened = self.client.engine.open_datagrams(destination);
        let (flow, descriptor) = opened.expect("the command is taken");
        let socket = UnixDatagram::from(descriptor);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        (flow, socket)
    }

    /// Opens a connection to `target`; gives it and the target's end.
    pub(crate) fn connect_to(&self, target: &Target, early: &[u8]) -> (Connected, TcpStream) {
        (self.connect(target.address, early), target.accept())
    }

    /// Opens a connection and lets the server reach `target` on this machine.
    pub(crate) fn connect(&self, target: SocketAddr, early: &[u8]) -> Connected {
        let (flow, mut application) = self.open(&[SocketAddr::new(TARGET, target.port())], early);
        let incoming = self.let_out(target);
        assert_eq!(read_exactly(&mut application, 2), b"ok");
        Connected {
            application,
            client_flow: flow,
            server_flow: incoming.flow,
        }
    }
}

/// A connection through both engines.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) application: TcpStream,
    pub(crate) client_flow: FlowId,
    pub(crate) server_flow: FlowId,
}

pub(crate) fn replies() -> Replies {
    Replies {
        succeeded: b"ok".to_vec(),
        refused: b"refused".to_vec(),
        network_unreachable: b"network".to_vec(),
        host_unreachable: b"host".to_vec(),
        prohibited: b"prohibited".to_vec(),
        timed_out: b"timed out".to_vec(),
        failed: b"failed".to_vec(),
    }
}

/// Two ends of a TCP connection on loopback.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let left = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (right, _) = listener.accept().unwrap();
    left.set_read_timeout(Some(PATIENCE)).unwrap();
    left.set_write_timeout(Some(PATIENCE)).unwrap();
    (left, right)
}

/// A socket whose connect to `target` is under way.
pub(crate) fn begin_connect(target: SocketAddr) -> OwnedFd {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let begun = socket.connect(&target.into());
    if let Err(error) = begun {
        assert_eq!(error.raw_os_error(), Some(libc::EINPROGRESS), "{error}");
    }
    socket.into()
}

/// Closes `stream` so that its other end cannot take it for the end of what is said: with a reset.
pub(crate) fn hang_up(stream: TcpStream) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}

pub(crate) fn read_exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("bytes in time");
    bytes
}

pub(crate) fn read_all(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map(|_| bytes)
}

/// Answers every incoming TCP flow of `server` by a connect to the same port of this machine, until the engine stops or the
/// sender of the result is dropped.
pub(crate) fn dial_everything(engine: Arc<Engine>, stop: Receiver<()>) -> JoinHandle<Vec<Event>> {
    thread::spawn(move || {
        let mut events = Vec::new();
        while stop.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            wait_readable(&engine.event_fd(), Duration::from_millis(20));
            for event in engine.take_events() {
                if let Event::FlowIncoming {
                    flow,
                    ref destination,
                    ..
                } = event
                {
                    let target = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), destination.port());
                    let _ = engine.attach(flow, begin_connect(target));
                }
                events.push(event);
            }
        }
        events
    })
}

/// Bytes that tell their place, so that a transfer that lost, doubled or swapped some is not equal.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}
