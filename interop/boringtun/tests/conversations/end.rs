//! boringtun and its adapter as an end that `awg-parity` drives, its clock in the driver's hands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use awg_boringtun::{Adapter, Output, Peer};
use awg_obfuscation::{Obfuscation, Parameters};
use awg_parity::end::{End, Happening, Held, START, Setup};
use boringtun::noise::Tunn;
use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::x25519::{PublicKey, StaticSecret};
use mock_instant::MockClock;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// How often boringtun looks at its timers.
const TICK: Duration = Duration::from_millis(250);

/// One peer of boringtun, and what surrounds it.
///
/// boringtun's clock is the thread's: of two ends in one thread each moves it to the same time.
pub(crate) struct Boringtun {
    elapsed: Duration,
    peer: Option<Peer>,
    remote: Option<SocketAddr>,
    happened: Vec<Happening>,
    /// Whether it asks for a cookie before every handshake.
    loaded: bool,
}

impl Default for Boringtun {
    fn default() -> Self {
        MockClock::set_time(Duration::ZERO);
        Self {
            elapsed: Duration::ZERO,
            peer: None,
            remote: None,
            happened: Vec::new(),
            loaded: false,
        }
    }
}

impl Boringtun {
    /// One that is always under load.
    pub(crate) fn loaded() -> Self {
        Self {
            loaded: true,
            ..Self::default()
        }
    }

    fn unix(&self) -> Duration {
        START + self.elapsed
    }

    fn act(&mut self, call: impl FnOnce(&mut Peer, Duration) -> Output, to: Option<SocketAddr>) {
        let unix = self.unix();
        let Some(peer) = &mut self.peer else { return };
        let output = call(peer, unix);
        let at = self.elapsed;
        for packet in output.packets {
            self.happened.push(Happening::Delivered { at, packet });
        }
        let Some(to) = to else { return };
        for datagram in output.datagrams {
            self.happened.push(Happening::Sent { at, to, datagram });
        }
    }
}

impl End for Boringtun {
    fn open(&mut self, setup: &Setup) -> Result<(), String> {
        let settings = setup
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let parameters = Parameters::from_settings(settings).map_err(|e| format!("{e:?}"))?;
        let obfuscation = Obfuscation::new(parameters).map_err(|e| format!("{e:?}"))?;
        let [peer] = setup.peers.as_slice() else {
            return Err("a Tunn of boringtun has one peer".to_owned());
        };
        let own = StaticSecret::from(*setup.private_key.as_bytes());
        let public = PublicKey::from(&own);
        let other = PublicKey::from(*peer.public_key.as_bytes());
        let rng = StdRng::seed_from_u64(setup.seed);
        let adapter = Adapter::new(obfuscation, public.as_bytes(), other.as_bytes(), rng);
        let limiter = self.loaded.then(|| Arc::new(RateLimiter::new(&public, 0)));
        let tunn = Tunn::new(
            own,
            other,
            peer.preshared_key.as_ref().map(|key| *key.as_bytes()),
            peer.persistent_keepalive,
            setup.seed as u32,
            limiter,
        );
        self.peer = Some(Peer::new(tunn, adapter));
        self.remote = peer.endpoint;
        Ok(())
    }

    fn advance(&mut self, by: Duration) {
        let end = self.elapsed + by;
        while self.elapsed < end {
            self.elapsed = end.min(self.elapsed + TICK);
            MockClock::set_time(self.elapsed);
            self.act(Peer::tick, self.remote);
        }
    }

    fn receive(&mut self, from: SocketAddr, datagrams: &[Vec<u8>]) {
        for datagram in datagrams {
            let mut datagram = datagram.clone();
            self.act(
                |peer, unix| peer.receive(from.ip(), &mut datagram, unix),
                Some(from),
            );
        }
    }

    fn send(&mut self, packets: &[Vec<u8>]) -> Result<(), String> {
        for packet in packets {
            self.act(|peer, unix| peer.send(packet, unix), self.remote);
        }
        Ok(())
    }

    fn set_counter(&mut self, _: u64) {
        panic!("boringtun keeps its counters to itself");
    }

    fn held(&mut self) -> Held {
        panic!("boringtun keeps its keys to itself");
    }

    fn take(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }
}
