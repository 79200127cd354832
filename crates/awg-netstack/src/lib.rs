//! A userspace network stack, sans-I/O: IP packets go in, TCP and UDP flows come out, and the other way round.
//!
//! Whose packets they are is told by a number ([`Peer`]); how they travel is nobody's business here. A client's stack
//! opens flows; a server's takes any flow for any destination, and a SYN is answered only once the embedder accepts it,
//! so that what the application sees at the far end is the truth. There is no socket, thread or clock inside, and all
//! randomness comes from one seed.
//!
//! Deliberately absent: routing between peers, link layers, multicast, IP options, TCP urgent data, and everything that
//! a tunnel is. Nothing from the network is trusted: every table, queue and buffer has its bound in [`Limits`] and what
//! it turned away in [`Counters`].
//!
//! ```text
//!              ┌─ fragments ─┐
//!   packet ─▶ IP header ─▶ TCP ─▶ flow ─▶ TcpMachine ◀─▶ send / receive
//!                   │     UDP ─▶ flow ─▶ Datagram     ◀─▶ send_datagram
//!                   └──── ICMP: echo, errors about our flows        poll_event ─▶ what happened
//!   packet ◀── PacketSink ◀── poll_transmit ◀── flows that have something to send
//! ```
//!
//! Specifications: RFC 791, 8200 (IP), 792, 4443 (ICMP), 768 (UDP), 9293 (TCP) with 7323, 2018, 6675 and 6298;
//! behaviour towards NATs and gateways as RFC 4787 and 1812 have it. Each module names its sections.
//!
//! The modules in floors; each uses only those above it in this list:
//!
//! 1. `flow`, `sink`, `limits`, `event`, `error`, `checksum`, `deadlines`, `allowance`: values, names and small
//!    machines;
//! 2. `packet`, `fragment`: the bytes of headers, pieces made whole and whole packets cut;
//! 3. `icmp`, `datagram`, `tcp`, `silence`: the protocols (`counters` collects from them);
//! 4. `stack`: all of it together.
//!
//! Inside `tcp` the connection itself is a `TcpMachine`, the only place that knows smoltcp.
//!
//! A question and its answer, the packets carried by hand:
//!
//! ```
//! use std::time::Instant;
//!
//! use awg_netstack::{Accept, Event, Limits, PacketSink, Peer, Stack, StackConfig};
//!
//! struct Packets(Vec<Vec<u8>>);
//!
//! impl PacketSink for Packets {
//!     fn has_room(&self) -> bool {
//!         true
//!     }
//!
//!     fn packet(&mut self, _: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
//!         let mut packet = vec![0; length];
//!         emit(&mut packet);
//!         self.0.push(packet);
//!     }
//! }
//!
//! fn carry(from: &mut Stack, to: &mut Stack, now: Instant) {
//!     let mut packets = Packets(Vec::new());
//!     from.poll_transmit(now, &mut packets);
//!     for mut packet in packets.0 {
//!         to.handle_packet(now, Peer(0), &mut packet);
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Instant::now();
//! let config = |address: &str, accept| StackConfig {
//!     addresses: vec![address.parse().unwrap()],
//!     mtu: 1420,
//!     accept,
//!     limits: Limits::default(),
//! };
//! let mut client = Stack::new(config("10.0.0.2", Accept::Nothing), [1; 32], now);
//! let mut server = Stack::new(config("10.0.0.1", Accept::Everything), [2; 32], now);
//!
//! let ours = client.connect(now, Peer(0), None, "192.0.2.1:80".parse()?)?;
//! carry(&mut client, &mut server, now);
//! let Some(Event::Incoming { flow: theirs, .. }) = server.poll_event() else { panic!() };
//! server.accept(now, theirs)?;
//! carry(&mut server, &mut client, now);
//! assert_eq!(client.poll_event(), Some(Event::Established { flow: ours }));
//!
//! client.send(ours, &mut |free| {
//!     free[..5].copy_from_slice(b"hello");
//!     5
//! });
//! carry(&mut client, &mut server, now);
//! let mut heard = Vec::new();
//! server.receive(theirs, &mut |held| {
//!     heard.extend_from_slice(held);
//!     held.len()
//! });
//! assert_eq!(heard, b"hello");
//! # Ok(())
//! # }
//! ```

#![deny(unsafe_code)]

mod allowance;
mod carrier;
mod checksum;
mod counters;
mod datagram;
mod deadlines;
mod error;
mod event;
mod flow;
mod fragment;
mod icmp;
mod limits;
#[cfg(test)]
mod memory;
mod packet;
mod silence;
mod sink;
mod stack;
mod tcp;

pub use carrier::{CarrierConfig, CarrierCounters, EARLY};
pub use counters::{Counters, TcpCounters};
pub use datagram::{DatagramCounters, DatagramDrop};
pub use error::{AcceptError, ConnectError};
pub use event::{CarrierLoss, Clogged, Closure, Event, Refusal, Rejection};
pub use flow::{FlowId, Kind, Peer, Target};
pub use fragment::FragmentCounters;
pub use icmp::IcmpCounters;
pub use limits::{FragmentLimits, Limits};
pub use sink::PacketSink;
pub use stack::{Accept, Datagram, Stack, StackConfig};
