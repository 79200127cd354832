//! boringtun and its adapter as one peer, without socket and, but for boringtun's own timers, without clock.
//!
//! Not here: allowed IPs. boringtun says which inner address a packet came from, and leaves it to its user to look.

use std::net::IpAddr;
use std::time::Duration;

use awg_obfuscation::LARGEST_DATAGRAM;
use boringtun::noise::{Tunn, TunnResult};

use crate::adapter::Adapter;

/// More than any message has: boringtun panics where it cannot write what it wants to.
const BUFFER: usize = 1 << 16;

/// A peer: boringtun's tunnel to it and our adapter.
pub struct Peer {
    tunn: Tunn,
    adapter: Adapter,
    buffer: Vec<u8>,
}

/// What is to be done after a call.
#[derive(Debug, Default)]
pub struct Output {
    /// What goes to the peer, in order; each one a datagram.
    pub datagrams: Vec<Vec<u8>>,
    /// The inner packets that came out, in order.
    pub packets: Vec<Vec<u8>>,
}

impl Peer {
    /// Joins a tunnel and an adapter that were made with the same keys.
    pub fn new(tunn: Tunn, adapter: Adapter) -> Self {
        Self {
            tunn,
            adapter,
            buffer: vec![0; BUFFER],
        }
    }

    /// Sends an inner packet, or begins a session for it. What no datagram can hold is dropped.
    pub fn send(&mut self, packet: &[u8], unix: Duration) -> Output {
        let mut output = Output::default();
        if packet.len() <= LARGEST_DATAGRAM.into() {
            let result = self.tunn.encapsulate(packet, &mut self.buffer);
            follow(&mut self.adapter, result, unix, &mut output);
        }
        output
            .datagrams
            .retain(|datagram| datagram.len() <= LARGEST_DATAGRAM.into());
        output
    }

    /// Takes a datagram that came from an address.
    pub fn receive(&mut self, from: IpAddr, datagram: &mut [u8], unix: Duration) -> Output {
        let mut output = Output::default();
        if datagram.len() > LARGEST_DATAGRAM.into() {
            return output;
        }
        let Some(mut message) = self.adapter.incoming(datagram) else {
            return output;
        };
        // Where boringtun has something to send it may have more: it is asked again, with nothing, until it is done.
        loop {
            let result = self.tunn.decapsulate(Some(from), message, &mut self.buffer);
            if !follow(&mut self.adapter, result, unix, &mut output) {
                return output;
            }
            message = &[];
        }
    }

    /// Lets boringtun look at its timers: to be called a few times a second.
    pub fn tick(&mut self, unix: Duration) -> Output {
        let mut output = Output::default();
        let result = self.tunn.update_timers(&mut self.buffer);
        follow(&mut self.adapter, result, unix, &mut output);
        output
    }
}

/// Does what boringtun wants done, and says whether it wanted to send something.
fn follow(
    adapter: &mut Adapter,
    result: TunnResult<'_>,
    unix: Duration,
    output: &mut Output,
) -> bool {
    match result {
        TunnResult::WriteToNetwork(message) => {
            adapter.outgoing(message, unix, &mut output.datagrams);
            return true;
        }
        TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
            output.packets.push(packet.to_vec());
        }
        // What does not authenticate gets no answer.
        TunnResult::Done | TunnResult::Err(_) => {}
    }
    false
}
