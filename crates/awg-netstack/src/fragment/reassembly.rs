//! Received pieces of packets, until they are whole.
//!
//! Pieces may come in any order. Two that overlap, contradict each other on where the packet ends, or make it too long
//! end the packet: what is there is thrown away, and so is what still comes of it (RFC 5722 section 4, applied to IPv4
//! as well). An exact copy of a piece is merely ignored (RFC 8200 section 4.5).
//!
//! A packet has [`FragmentLimits::age`] from its first piece on. Every peer has bounds of its own; past them its oldest
//! packet gives way, never another peer's.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use super::piece::{Malformed, Piece, seal_headers};
use crate::flow::Peer;
use crate::limits::FragmentLimits;

#[cfg(test)]
mod tests;

/// What one piece and one packet cost beyond their bytes, so that a flood of tiny ones is bounded by the same limit.
const PIECE_OVERHEAD: usize = 64;
const PACKET_OVERHEAD: usize = 256;

/// Pieces of one packet: enough for the longest packet over a link of 576 bytes.
const PIECES: usize = 128;

/// What became of received fragments.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct FragmentCounters {
    /// Packets made whole.
    pub reassembled: u64,
    /// Fragments whose headers make no sense.
    pub malformed: u64,
    /// Packets given up because their pieces overlap or contradict each other.
    pub refused: u64,
    /// Fragments of packets that were given up before.
    pub late: u64,
    /// Packets that did not become whole in time.
    pub expired: u64,
    /// Packets that gave way to newer ones of their peer.
    pub evicted: u64,
    /// Fragments for which there was no room at all.
    pub no_room: u64,
}

/// Makes packets whole.
pub(crate) struct Reassembler {
    limits: FragmentLimits,
    peers: HashMap<Peer, Queue>,
    /// One entry for each peer that has packets here, at the latest when its oldest is due.
    deadlines: BinaryHeap<Reverse<(Instant, Peer)>>,
    bytes: usize,
    counters: FragmentCounters,
}

/// A peer's packets, oldest first.
#[derive(Default)]
struct Queue {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// Whether the peer has an entry among the deadlines.
    armed: bool,
}

/// What tells packets of one peer apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

struct Packet {
    key: Key,
    deadline: Instant,
    /// The headers, once the piece at offset 0 is here.
    headers: Option<Vec<u8>>,
    /// By offset, without overlap.
    pieces: Vec<(usize, Vec<u8>)>,
    /// Length of the fragmentable part, once the last piece is here.
    end: Option<usize>,
    /// Bytes of `pieces`.
    gathered: usize,
    /// What this packet is charged.
    cost: usize,
    /// Given up: it stays until its time is over, so that its other pieces are known.
    refused: bool,
}

/// What a piece did to its packet.
#[derive(PartialEq, Eq)]
enum Fit {
    Kept,
    Whole,
    /// It was there already, to the byte.
    Copy,
    Contradiction,
}

impl Reassembler {
    pub(crate) fn new(limits: FragmentLimits) -> Self {
        Self {
            limits,
            peers: HashMap::new(),
            deadlines: BinaryHeap::new(),
            bytes: 0,
            counters: FragmentCounters::default(),
        }
    }

    /// Takes a packet of which [`is_fragment`](super::is_fragment) is true; gives the whole one when this was the piece
    /// that was missing.
    pub(crate) fn handle_fragment(
        &mut self,
        now: Instant,
        peer: Peer,
        packet: &[u8],
    ) -> Option<Vec<u8>> {
        let Ok(piece) = Piece::parse(packet) else {
            self.counters.malformed += 1;
            return None;
        };
        if piece.is_whole() {
            return self.finish(piece.whole_headers(), [piece.body]);
        }
        self.expire(now, peer);
        let index = self.place(now, peer, &piece)?;
        let queue = self.peers.get_mut(&peer)?;
        let packet = queue.packets.get_mut(index)?;
        if packet.refused {
            self.counters.late += 1;
            return None;
        }
        let before = packet.cost;
        let fit = packet.insert(&piece);
        if fit == Fit::Contradiction {
            self.counters.refused += 1;
            packet.refuse();
        }
        queue.bytes = queue.bytes - before + packet.cost;
        self.bytes = self.bytes - before + packet.cost;
        if fit != Fit::Whole {
            return None;
        }
        let packet = self.remove(peer, index)?;
        let bodies = packet.pieces.iter().map(|(_, body)| body.as_slice());
        self.finish(packet.headers?, bodies)
    }

    /// Finds the packet that `piece` belongs to, or begins it; makes room for the piece.
    fn place(&mut self, now: Instant, peer: Peer, piece: &Piece) -> Option<usize> {
        let key = Key::of(piece);
        let cost = PIECE_OVERHEAD + piece.body.len();
        let queue = self.peers.entry(peer).or_default();
        if queue.position(key).is_none() {
            let deadline = now + self.limits.age;
            queue.packets.push_back(Packet::new(key, deadline));
            queue.bytes += PACKET_OVERHEAD;
            self.bytes += PACKET_OVERHEAD;
            if !queue.armed {
                queue.armed = true;
                self.deadlines.push(Reverse((deadline, peer)));
            }
        }
        loop {
            let queue = self.peers.get(&peer)?;
            let full = queue.packets.len() > self.limits.packets_per_peer
                || queue.bytes + cost > self.limits.bytes_per_peer
                || self.bytes + cost > self.limits.bytes;
            if !full {
                break;
            }
            if self.remove(peer, 0).is_none() {
                break;
            }
            self.counters.evicted += 1;
        }
        // Its own packet may have been the oldest.
        let found = self.peers.get(&peer).and_then(|queue| queue.position(key));
        if found.is_none() {
            self.counters.no_room += 1;
        }
        found
    }

    fn remove(&mut self, peer: Peer, index: usize) -> Option<Packet> {
        let queue = self.peers.get_mut(&peer)?;
        let packet = queue.packets.remove(index)?;
        queue.bytes -= packet.cost;
        self.bytes -= packet.cost;
        Some(packet)
    }

    fn finish<'b>(
        &mut self,
        mut packet: Vec<u8>,
        bodies: impl IntoIterator<Item = &'b [u8]>,
    ) -> Option<Vec<u8>> {
        let header_length = packet.len();
        for body in bodies {
            packet.extend_from_slice(body);
        }
        if let Err(Malformed) = seal_headers(&mut packet, header_length) {
            self.counters.refused += 1;
            return None;
        }
        self.counters.reassembled += 1;
        Some(packet)
    }

    /// Drops the packets of `peer` that are due.
    fn expire(&mut self, now: Instant, peer: Peer) {
        while let Some(oldest) = self
            .peers
            .get(&peer)
            .and_then(|queue| queue.packets.front())
            && oldest.deadline <= now
        {
            // One that was given up has been counted.
            self.counters.expired += u64::from(!oldest.refused);
            self.remove(peer, 0);
        }
    }

    /// Drops what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&Reverse((at, peer))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            self.expire(now, peer);
            let Some(queue) = self.peers.get_mut(&peer) else {
                continue;
            };
            match queue.packets.front() {
                Some(oldest) => self.deadlines.push(Reverse((oldest.deadline, peer))),
                None => {
                    self.peers.remove(&peer);
                }
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// Drops what `peer` left in pieces.
    pub(crate) fn forget_peer(&mut self, peer: Peer) {
        if let Some(queue) = self.peers.get_mut(&peer) {
            self.bytes -= queue.bytes;
            queue.bytes = 0;
            // The emptied queue goes when its deadline comes, as every other.
            queue.packets = VecDeque::new();
        }
    }

    pub(crate) fn counters(&self) -> FragmentCounters {
        self.counters
    }

    /// Bytes held, with what keeping them costs.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.bytes
    }
}

impl Queue {
    fn position(&self, key: Key) -> Option<usize> {
        self.packets.iter().position(|packet| packet.key == key)
    }
}

impl Key {
    fn of(piece: &Piece) -> Self {
        Self {
            source: piece.source,
            destination: piece.destination,
            protocol: piece.protocol,
            identification: piece.identification,
        }
    }
}

impl Packet {
    fn new(key: Key, deadline: Instant) -> Self {
        Self {
            key,
            deadline,
            headers: None,
            pieces: Vec::new(),
            end: None,
            gathered: 0,
            cost: PACKET_OVERHEAD,
            refused: false,
        }
    }

    fn insert(&mut self, piece: &Piece) -> Fit {
        let (from, to) = (piece.offset, piece.offset + piece.body.len());
        let at = self.pieces.partition_point(|(offset, _)| *offset < from);
        if let Some((offset, body)) = self.pieces.get(at)
            && *offset == from
            && body == piece.body
            && piece.more != (self.end == Some(to))
        {
            return Fit::Copy;
        }
        let end_before = at
            .checked_sub(1)
            .and_then(|before| self.pieces.get(before))
            .map_or(0, |(offset, body)| offset + body.len());
        let begin_after = self
            .pieces
            .get(at)
            .map_or(usize::MAX, |(offset, _)| *offset);
        if from < end_before || to > begin_after || self.pieces.len() == PIECES {
            return Fit::Contradiction;
        }
        if piece.more {
            // A piece past the end, or one that ends there and still promises more.
            if self.end.is_some_and(|end| to >= end) {
                return Fit::Contradiction;
            }
        } else {
            if self.end.is_some_and(|end| end != to) || begin_after != usize::MAX {
                return Fit::Contradiction;
            }
            self.end = Some(to);
        }
        if from == 0 {
            let headers = piece.whole_headers();
            self.cost += headers.len();
            self.headers = Some(headers);
        }
        self.cost += PIECE_OVERHEAD + piece.body.len();
        self.gathered += piece.body.len();
        self.pieces.insert(at, (from, piece.body.to_vec()));
        // Without overlap, as many bytes as the end says leave no hole.
        if self.end == Some(self.gathered) {
            Fit::Whole
        } else {
            Fit::Kept
        }
    }

    /// Lets go of everything but the name.
    fn refuse(&mut self) {
        self.headers = None;
        self.pieces = Vec::new();
        self.cost = PACKET_OVERHEAD;
        self.refused = true;
    }
}
