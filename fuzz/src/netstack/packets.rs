//! IP, TCP, UDP, ICMP and fragments: any bytes, and packets that are nearly right.
//!
//! Claimed: what leaves is well formed and not longer than the MTU, and no input makes much of it; a datagram that comes
//! out is one that came in, between the same addresses; an hour later nothing is left.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use arbitrary::Arbitrary;
use awg_netstack::{Event, FlowId, Kind, Peer, Rejection};

use super::host::{Host, OWN};
use crate::input::{self, choose};
use crate::memory;
use crate::wire::{self, FRAGMENT, ICMP, ICMPV6, TCP, UDP};

/// What a stack of these limits may hold, beside flows' buffers, which it tells of.
const MEMORY: usize = 1 << 20;
/// Packets of one run: what comes after is ignored.
const PACKETS: usize = 64;
/// Bytes that may leave for one that came: an answer quotes or echoes what it answers, with headers of its own.
const AMPLIFICATION: usize = 4;
/// Bytes that may leave for a packet beside that: a reset, a question, or the headers of what is retransmitted.
const ANSWER: usize = 512;

#[derive(Debug, Arbitrary)]
pub(super) struct Input<'a> {
    /// Whether flows that come are accepted.
    pub(super) accept: bool,
    pub(super) packets: Vec<Packet<'a>>,
}

#[derive(Debug, Arbitrary)]
pub(super) struct Packet<'a> {
    pub(super) peer: bool,
    /// Milliseconds until the next.
    pub(super) pause: u8,
    pub(super) form: Form,
    /// A byte that is changed; and whether checksums are made right after that.
    pub(super) change: Option<(u16, u8, bool)>,
    pub(super) body: &'a [u8],
}

#[derive(Debug, Arbitrary)]
pub(super) enum Form {
    /// The bytes are the packet.
    Bytes,
    /// The bytes are a transport message.
    Message {
        ipv6: bool,
        source: u8,
        destination: u8,
        protocol: u8,
        /// A piece: its field and identification.
        fragment: Option<(u16, u8)>,
        /// Ports, or type and code.
        head: [u8; 4],
    },
    /// A packet that the stack sent comes back, its ends swapped; or an ICMP error quotes it.
    Return { error: Option<(u8, u8, u16)> },
}

const PROTOCOLS: [u8; 8] = [TCP, UDP, ICMP, ICMPV6, FRAGMENT, 0, 43, 60];

/// Hands the packets that `data` describes to a stack.
///
/// # Panics
/// Where the stack does what it must not.
pub fn packets(data: &[u8]) {
    if let Some(input) = input::read::<Input>(data) {
        memory::within(MEMORY + data.len() * 16, || {
            play(&input);
        });
    }
}

/// What one run of packets came to.
#[derive(Default)]
struct Run {
    last: Option<Vec<u8>>,
    flows: HashSet<FlowId>,
    datagrams: usize,
}

/// Plays packets; gives how many UDP datagrams came out.
pub(super) fn play(input: &Input) -> usize {
    let mut host = Host::new();
    let mut run = Run::default();
    for packet in input.packets.iter().take(PACKETS) {
        let mut bytes = made(packet, run.last.as_deref());
        let came = bytes.len();
        let peer = Peer(packet.peer.into());
        let mut answers = Vec::new();
        let now = host.now;
        if let Some(datagram) = host.stack.handle_packet(now, peer, &mut bytes) {
            assert_eq!(datagram.flow.kind(), Kind::Udp);
            assert_ne!(datagram.source.port(), 0);
            assert!(datagram.payload.len() < 1 << 16);
            // Each family keeps to itself.
            assert_eq!(datagram.source.is_ipv4(), datagram.destination.is_ipv4());
            run.datagrams += 1;
            answers.push((datagram.flow, datagram.source, datagram.payload.len()));
        }
        serve(&mut host, &mut run, input.accept);
        let sent = host.sent();
        let left: usize = sent.iter().map(|(packet, _)| packet.len()).sum();
        assert!(
            left <= came * AMPLIFICATION + ANSWER * (1 + run.flows.len()),
            "{left} for {came}"
        );
        run.last = sent
            .into_iter()
            .next_back()
            .map(|(packet, _)| packet)
            .or(run.last);
        for (flow, remote, length) in answers {
            // Too large or too many are refused.
            let _ = host
                .stack
                .send_datagram(now, flow, remote, &vec![1; length]);
        }
        run.last = host
            .sent()
            .into_iter()
            .next_back()
            .map(|(packet, _)| packet)
            .or(run.last);
        host.bounded();
        let end = host.now + Duration::from_millis(packet.pause.into());
        while host.wake(end, Some(end)) {
            serve(&mut host, &mut run, input.accept);
            host.sent();
        }
    }
    host.outlive(|host| {
        serve(host, &mut run, input.accept);
        host.sent();
        // A flow may end with its last packet.
        serve(host, &mut run, input.accept);
    });
    assert!(run.flows.is_empty(), "a flow's end was not told");
    run.datagrams
}

/// Does with flows what the simplest embedder would.
fn serve(host: &mut Host, run: &mut Run, accept: bool) {
    let now = host.now;
    while let Some(event) = host.event() {
        match event {
            Event::Incoming { flow, kind, .. } => {
                assert!(run.flows.insert(flow), "a name was given out twice");
                if kind == Kind::Tcp && accept {
                    // A segment that cannot be accepted is refused.
                    let _ = host.stack.accept(now, flow);
                } else {
                    host.stack.reject(now, flow, Rejection::Prohibited);
                }
            }
            Event::Readable { flow } => while host.stack.receive(flow, &mut <[u8]>::len) > 0 {},
            Event::Finished { flow } => host.stack.shutdown(flow),
            Event::Closed { flow, .. } => assert!(run.flows.remove(&flow), "an end without begin"),
            Event::Established { .. } | Event::Refused { .. } | Event::Writable { .. } => {}
            Event::Requested { .. }
            | Event::CarrierUp { .. }
            | Event::CarrierDown { .. }
            | Event::CarrierFull { .. }
            | Event::CarrierRoom { .. }
            | Event::Unread { .. } => {
                panic!("there is no carrier")
            }
        }
    }
}

/// The stack's, one outside, a peer's, and those that nobody can have.
fn address(ipv6: bool, number: u8) -> IpAddr {
    let addresses: [IpAddr; 6] = if ipv6 {
        [
            OWN[1],
            [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
            [0xfd00, 0, 0, 0, 0, 0, 0, 2].into(),
            [0; 8].into(),
            [0xff02, 0, 0, 0, 0, 0, 0, 1].into(),
            [0, 0, 0, 0, 0, 0xffff, 0xa00, 1].into(),
        ]
    } else {
        [
            OWN[0],
            [192, 0, 2, 1].into(),
            [10, 0, 0, 2].into(),
            [0; 4].into(),
            [224, 0, 0, 1].into(),
            [255; 4].into(),
        ]
    };
    *choose(&addresses, number).unwrap_or(&OWN[0])
}

fn made(packet: &Packet, last: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = match packet.form {
        Form::Bytes => packet.body.to_vec(),
        Form::Message {
            ipv6,
            source,
            destination,
            protocol,
            fragment,
            head,
        } => {
            let protocol = *choose(&PROTOCOLS, protocol).unwrap_or(&UDP);
            let mut message = [&head, packet.body].concat();
            if protocol == UDP && fragment.is_none() && message.len() >= 6 {
                let length = (message.len() as u16).to_be_bytes();
                message[4..6].copy_from_slice(&length);
            }
            let (source, destination) = (address(ipv6, source), address(ipv6, destination));
            wire::packet(source, destination, protocol, fragment, message)
        }
        Form::Return { error } => returned(last, error, packet.body),
    };
    if let Some((at, xor, mend)) = packet.change {
        let at = usize::from(at) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= xor;
        }
        if mend {
            wire::mend(&mut bytes);
        }
    }
    bytes
}

/// What the stack sent last comes back to it.
fn returned(last: Option<&[u8]>, error: Option<(u8, u8, u16)>, body: &[u8]) -> Vec<u8> {
    let Some(last) = last else {
        return body.to_vec();
    };
    if let Some((kind, code, mtu)) = error {
        let ipv6 = last[0] >> 4 == 6;
        let [high, low] = mtu.to_be_bytes();
        let mut message = vec![kind, code, 0, 0, 0, 0, high, low];
        message.extend(last.iter().take(body.len().max(48)));
        let protocol = if ipv6 { ICMPV6 } else { ICMP };
        return wire::packet(address(ipv6, 1), address(ipv6, 0), protocol, None, message);
    }
    let mut packet = last.to_vec();
    let (from, length, ports) = if packet[0] >> 4 == 4 {
        (12, 4, 20)
    } else {
        (8, 16, 40)
    };
    let (one, other) = packet[from..from + 2 * length].split_at_mut(length);
    one.swap_with_slice(other);
    if let Some(ports) = packet.get_mut(ports..ports + 4) {
        ports.rotate_left(2);
    }
    packet.extend(body);
    wire::mend(&mut packet);
    packet
}
