//! The face that both implementations have here: one device with its clock, socket and tunnel interface in our hands.

use std::net::SocketAddr;
use std::time::Duration;

pub use awg_tunnel::inspection::Held;
use awg_tunnel::{PresharedKey, PrivateKey, PublicKey};

/// What a device is given.
#[derive(Clone)]
pub struct Setup {
    /// Its key.
    pub private_key: PrivateKey,
    /// The largest inner packet, in bytes.
    pub mtu: u16,
    /// The obfuscation, by the names of a `.conf`.
    pub parameters: Vec<(String, String)>,
    /// Its peers.
    pub peers: Vec<Peer>,
    /// What its randomness comes from.
    pub seed: u64,
}

/// A peer of a device.
#[derive(Clone)]
pub struct Peer {
    /// Its name.
    pub public_key: PublicKey,
    /// A key shared beside the pairs.
    pub preshared_key: Option<PresharedKey>,
    /// Where it is at first.
    pub endpoint: Option<SocketAddr>,
    /// Its inner networks.
    pub allowed_ips: Vec<String>,
    /// Seconds between packets that keep a way open.
    pub persistent_keepalive: Option<u16>,
}

/// Something that a device did, and when, counted from the start of its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// It sent a datagram.
    Sent {
        /// When.
        at: Duration,
        /// Where to.
        to: SocketAddr,
        /// The datagram's content.
        datagram: Vec<u8>,
    },
    /// It delivered an inner packet.
    Delivered {
        /// When.
        at: Duration,
        /// The packet.
        packet: Vec<u8>,
    },
    /// It drew 32 random bytes in one go: an ephemeral private key, a cookie's secret. Only the reference tells.
    Secret([u8; 32]),
}

/// The Unix time at which every device's clock starts: midnight UTC 2000-01-01.
pub const START: Duration = Duration::from_hours(262_968);

/// A device of one of the implementations.
pub trait End {
    /// Makes the device and brings it up, in place of an earlier one. The clock goes on.
    ///
    /// # Errors
    /// Why the implementation refuses the setup.
    fn open(&mut self, setup: &Setup) -> Result<(), String>;

    /// Lets time pass.
    fn advance(&mut self, by: Duration);

    /// Datagrams come from `from`, in one go.
    fn receive(&mut self, from: SocketAddr, datagrams: &[Vec<u8>]);

    /// The device reads inner packets from its interface, in one go.
    ///
    /// # Errors
    /// It did not survive that.
    fn send(&mut self, packets: &[Vec<u8>]) -> Result<(), String>;

    /// Moves the counter of the current session of the only peer.
    fn set_counter(&mut self, counter: u64);

    /// Which sessions of the only peer are in memory.
    fn held(&mut self) -> Held;

    /// What has happened since this was last asked.
    fn take(&mut self) -> Vec<Happening>;
}
