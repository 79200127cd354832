//! A path between client and server that loses datagrams and changes the client's address, as networks do.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Forwards datagrams both ways until the test's process ends.
pub(crate) struct Path {
    /// Where the client is to send.
    pub(crate) entrance: SocketAddr,
    server: SocketAddr,
    outside: Arc<Mutex<Arc<UdpSocket>>>,
    inside: Arc<UdpSocket>,
    client: Arc<Mutex<Option<SocketAddr>>>,
    loss: f64,
    lost: Arc<AtomicU64>,
}

impl Path {
    /// A path to `server` that loses each datagram with probability `loss`.
    pub(crate) fn new(server: SocketAddr, loss: f64) -> Self {
        let inside = Arc::new(socket());
        let path = Self {
            entrance: inside.local_addr().unwrap(),
            server,
            outside: Arc::new(Mutex::new(Arc::new(socket()))),
            inside,
            client: Arc::default(),
            loss,
            lost: Arc::default(),
        };
        path.forward_to_server();
        path.forward_to_client();
        path
    }

    /// From now on the client comes from another address; gives it.
    pub(crate) fn move_client(&self) -> SocketAddr {
        let new = Arc::new(socket());
        let address = new.local_addr().unwrap();
        *self.outside.lock().unwrap() = new;
        self.forward_to_client();
        address
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn forward_to_server(&self) {
        let (inside, outside) = (Arc::clone(&self.inside), Arc::clone(&self.outside));
        let (client, server) = (Arc::clone(&self.client), self.server);
        let mut fate = Fate::new(1, self.loss, Arc::clone(&self.lost));
        thread::spawn(move || {
            let mut bytes = vec![0; 65536];
            while let Ok((length, from)) = inside.recv_from(&mut bytes) {
                *client.lock().unwrap() = Some(from);
                if fate.spares() {
                    let outside = Arc::clone(&outside.lock().unwrap());
                    let _ = outside.send_to(&bytes[..length], server);
                }
            }
        });
    }

    /// Serves the present outside socket until it is replaced.
    fn forward_to_client(&self) {
        let inside = Arc::clone(&self.inside);
        let client = Arc::clone(&self.client);
        let current = Arc::clone(&self.outside);
        let mine = Arc::clone(&current.lock().unwrap());
        let mut fate = Fate::new(2, self.loss, Arc::clone(&self.lost));
        mine.set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        thread::spawn(move || {
            let mut bytes = vec![0; 65536];
            while Arc::ptr_eq(&mine, &current.lock().unwrap()) {
                let Ok((length, _)) = mine.recv_from(&mut bytes) else {
                    continue;
                };
                let to = *client.lock().unwrap();
                if let Some(to) = to
                    && fate.spares()
                {
                    let _ = inside.send_to(&bytes[..length], to);
                }
            }
        });
    }
}

fn socket() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

/// What becomes of datagrams, one after the other.
struct Fate {
    rng: StdRng,
    loss: f64,
    lost: Arc<AtomicU64>,
}

impl Fate {
    fn new(seed: u8, probability: f64, lost: Arc<AtomicU64>) -> Self {
        Self {
            rng: StdRng::from_seed([seed; 32]),
            loss: probability,
            lost,
        }
    }

    fn spares(&mut self) -> bool {
        let lost = self.rng.random_bool(self.loss);
        self.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        !lost
    }
}
