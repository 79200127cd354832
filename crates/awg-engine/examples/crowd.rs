//! Many clients of one server at once, each a whole engine with a key, a socket and a session of its own, and connections through
//! it to an echo. `bench/scale` runs it, several at a time: one process has too few descriptors for all.
//!
//! ```text
//! crowd SERVER_PUBLIC_KEY ENDPOINT TARGET CONNECTIONS [Jc=4 S1=20 …] < "PRIVATE_KEY ADDRESS" lines, an empty one last
//! ```
//!
//! It prints JSON lines: `sessions` once every client has one, `connections` once each has as many as it should and a byte came
//! back by every one of them. At each further line of input, every connection is asked for an echo again, and `echoes` tells how
//! many answered; at the end of input all is closed.

use std::error::Error;
use std::io::{BufRead, Read, Write, stdin};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use awg_engine::{Engine, EngineSettings, Event};
use awg_tunnel::{Interval, Parameters, PeerConfig, PrivateKey, PublicKey};

type Failure = Box<dyn Error + Send + Sync>;

/// How long a session or an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many connections are opened at a time.
const AT_ONCE: usize = 32;

/// One client and its connections.
struct Client {
    engine: Engine,
    address: IpAddr,
    connections: Vec<UnixStream>,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, endpoint, target, connections, settings @ ..] = arguments.as_slice() else {
        return Err("SERVER_PUBLIC_KEY ENDPOINT TARGET CONNECTIONS [NAME=VALUE …]".into());
    };
    let pairs: Vec<(&str, &str)> = settings
        .iter()
        .map(|setting| setting.split_once('=').ok_or("a setting is NAME=VALUE"))
        .collect::<Result<_, _>>()?;
    let obfuscation = Parameters::from_settings(pairs).map_err(|errors| format!("{errors:?}"))?;
    let (server, endpoint): (PublicKey, SocketAddr) = (server.parse()?, endpoint.parse()?);
    let (target, count): (SocketAddr, usize) = (target.parse()?, connections.parse()?);

    let mut clients = Vec::new();
    for line in stdin().lock().lines() {
        let line = line?;
        let Some((key, address)) = line.split_once(' ') else {
            break;
        };
        clients.push(client(
            key.parse()?,
            address.parse()?,
            (server, endpoint),
            &obfuscation,
        )?);
    }
    let begun = Instant::now();
    let sessions = clients
        .iter()
        .filter(|client| has_session(client, begun))
        .count();
    println!(r#"{{"event": "sessions", "count": {sessions}}}"#);

    let mut crowd = each(clients, move |client| {
        for _ in 0..count {
            if let Ok(connection) = connect(&client.engine, target) {
                client.connections.push(connection);
            }
        }
        client.echo()
    });
    println!(r#"{{"event": "connections", "count": {}}}"#, crowd.answered);
    for line in stdin().lock().lines() {
        line?;
        crowd = each(crowd.clients, Client::echo);
        println!(r#"{{"event": "echoes", "count": {}}}"#, crowd.answered);
    }
    for client in crowd.clients {
        drop(client.connections);
        client.engine.stop();
    }
    Ok(())
}

/// A client with its engine running.
fn client(
    key: PrivateKey,
    address: IpAddr,
    (server, endpoint): (PublicKey, SocketAddr),
    obfuscation: &Parameters,
) -> Result<Client, Failure> {
    let mut settings = EngineSettings::new(key);
    settings.addresses = vec![address];
    settings.obfuscation = obfuscation.clone();
    let peer = PeerConfig {
        allowed_ips: vec!["0.0.0.0/0".parse()?],
        endpoint: Some(endpoint.into()),
        persistent_keepalive: Interval::every(25),
        ..PeerConfig::new(server)
    };
    settings.peers = vec![peer.into()];
    let engine = Engine::new(settings)?;
    engine.start()?;
    Ok(Client {
        engine,
        address,
        connections: Vec::new(),
    })
}

/// Waits for the first session.
fn has_session(client: &Client, begun: Instant) -> bool {
    loop {
        let events = client.engine.take_events();
        if events
            .iter()
            .any(|event| matches!(event, Event::HandshakeCompleted { .. }))
        {
            return true;
        }
        if begun.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A connection to the echo by which a byte has come back.
fn connect(engine: &Engine, target: SocketAddr) -> Result<UnixStream, Failure> {
    let (_, descriptor) = engine.open_stream(vec![target])?;
    let mut connection = UnixStream::from(descriptor);
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"?")?;
    connection.read_exact(&mut [0])?;
    Ok(connection)
}

impl Client {
    /// Has every connection echo something of its own; how many did.
    fn echo(&mut self) -> usize {
        self.engine.take_events();
        let address = self.address;
        let numbered = self.connections.iter_mut().enumerate();
        numbered
            .filter_map(|(number, connection)| {
                let said = format!("{address} {number:06}");
                let mut heard = vec![0; said.len()];
                connection.write_all(said.as_bytes()).ok()?;
                connection.read_exact(&mut heard).ok()?;
                (heard == said.as_bytes()).then_some(())
            })
            .count()
    }
}

/// The clients, and how many of their connections have answered.
#[derive(Default)]
struct Crowd {
    clients: Vec<Client>,
    answered: usize,
}

/// Has each client do something, so many of them at a time.
fn each(
    clients: Vec<Client>,
    act: impl Fn(&mut Client) -> usize + Send + Sync + Copy + 'static,
) -> Crowd {
    let (done, results): (Sender<(Client, usize)>, Receiver<_>) = channel();
    let mut shares: Vec<Vec<Client>> = (0..AT_ONCE).map(|_| Vec::new()).collect();
    for (number, client) in clients.into_iter().enumerate() {
        shares[number % AT_ONCE].push(client);
    }
    for share in shares {
        let done = done.clone();
        thread::spawn(move || {
            for mut client in share {
                let answered = act(&mut client);
                let _ = done.send((client, answered));
            }
        });
    }
    drop(done);
    let mut crowd = Crowd::default();
    for (client, answered) in results {
        crowd.clients.push(client);
        crowd.answered += answered;
    }
    crowd
}
