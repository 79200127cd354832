//! UDP flows on the carrier. Each has a stream that says that it is there, and whose number its datagrams carry; what no QUIC datagram
//! holds goes by that stream, with its length before it.
//!
//! A flow is as long as its stream, and no longer than it is used. Of a peer's stream the flows are several, told apart by where
//! datagrams go: what an address of ours is asked is nothing of what the world is sent. The stream lasts as long as any of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use noq_proto::coding::{Decodable, Encodable};
use noq_proto::{Dir, PathId, SendDatagramError, Side, StreamId, VarInt};

use super::arrivals::Arrived;
use super::chunks::CHUNK;
use super::flows::{Flow, Stage};
use super::link::Link;
use super::request::{Code, DATAGRAMS, parse_address, write_address};
use super::settings::DATAGRAM_BUFFER;
use super::shared::Shared;
use super::streams::Rest;
use crate::datagram::DatagramDrop;
use crate::event::{Closure, Event};
use crate::flow::Kind;
use crate::limits::Limits;

/// The longest payload: what is left of 65,535 bytes by an IPv4 and a UDP header.
const PAYLOAD: usize = 65_507;

/// Bytes of the length before a datagram on a stream.
const LENGTH: usize = 2;

/// Port 53: flows that talk to nobody else end sooner.
const DNS: u16 = 53;

impl Link {
    /// Queues a datagram on a flow.
    pub(super) fn send_datagram(
        &mut self,
        now: Instant,
        number: u32,
        remote: SocketAddr,
        payload: &[u8],
        shared: &mut Shared,
    ) -> Result<(), DatagramDrop> {
        if payload.len() > PAYLOAD {
            return Err(DatagramDrop::TooLarge);
        }
        let Some(flow) = shared.flows.get(number) else {
            return Err(DatagramDrop::NoFlow);
        };
        if flow.stage != Stage::Datagrams {
            return Err(DatagramDrop::NoFlow);
        }
        let remote = flow.own.unwrap_or(remote);
        let due = flow.talk(now, remote, &shared.limits);
        let second = self.backlog.second;
        let volume = flow.volume.add(second, payload.len());
        let stream = flow.stream;
        self.company.note(stream.index(), second, volume);
        let source = flow.part_of.unwrap_or(number);
        shared.deadlines.arm(number, due);
        let mut message = Vec::with_capacity(8 + 19 + payload.len());
        let index = VarInt::from_u64(stream.index()).unwrap_or(VarInt::MAX);
        index.encode(&mut message);
        let header = message.len();
        write_address(&mut message, remote);
        message.extend_from_slice(payload);
        let connection = self.connection().ok_or(DatagramDrop::NoFlow)?;
        let message = Bytes::from(message);
        match connection.datagrams().send(message.clone(), false) {
            Ok(()) => {
                shared.counters.datagrams_sent += 1;
                Ok(())
            }
            Err(SendDatagramError::TooLarge) => {
                self.send_framed(source, &message.slice(header..), shared)
            }
            Err(_) => {
                shared.counters.datagram_queue_full += 1;
                Err(DatagramDrop::QueueFull)
            }
        }
    }

    /// Queues a datagram on the flow's stream, whole or not at all.
    fn send_framed(
        &mut self,
        number: u32,
        message: &[u8],
        shared: &mut Shared,
    ) -> Result<(), DatagramDrop> {
        let went = self.flush(number, shared);
        let Some(flow) = shared.flows.get(number) else {
            return Err(DatagramDrop::NoFlow);
        };
        if !went {
            shared.counters.datagram_queue_full += 1;
            return Err(DatagramDrop::QueueFull);
        }
        let mut framed = Vec::with_capacity(2 + message.len());
        framed.extend((message.len() as u16).to_be_bytes());
        framed.extend_from_slice(message);
        flow.first = self.write(flow, Bytes::from(framed));
        shared.counters.datagrams_sent += 1;
        shared.counters.datagrams_by_stream += 1;
        Ok(())
    }

    /// Takes the datagrams that arrived as such.
    pub(super) fn take_datagrams(&mut self, now: Instant, shared: &mut Shared) {
        while let Some(mut message) = self
            .connection()
            .and_then(|connection| connection.datagrams().recv())
        {
            self.heard += 1;
            let number = VarInt::decode(&mut message)
                .ok()
                .and_then(|index| self.flow_of_index(now, index.into_inner(), shared));
            match number {
                Some(number) => self.take_message(now, number, message, shared),
                None => shared.counters.datagrams_malformed += 1,
            }
        }
        // What came at once and was too much the connection has dropped, the oldest first.
        let stats = self
            .connection()
            .and_then(|connection| connection.path_stats(PathId::ZERO));
        let heard = stats.map_or(self.heard, |stats| stats.frame_rx.datagram);
        shared.counters.datagram_queue_full += heard.saturating_sub(self.heard);
        self.heard = heard;
    }

    /// The flow of datagrams by its number. One of a stream whose first bytes are still on their way begins with them.
    fn flow_of_index(&mut self, now: Instant, index: u64, shared: &mut Shared) -> Option<u32> {
        if self.call.is_some() {
            return self.streams.get(&index).copied();
        }
        let streams = super::settings::streams(&shared.limits);
        let is_new = index >= self.accepted && index < self.accepted.saturating_add(streams);
        if !is_new && !self.streams.contains_key(&index) {
            return None;
        }
        let stream = StreamId::new(Side::Client, Dir::Bi, index);
        let number = self.flow_of(now, stream, shared)?;
        let stage = shared.flows.get(number)?.stage;
        Some(number).filter(|_| matches!(stage, Stage::Requesting | Stage::Source))
    }

    /// Takes the datagrams that arrived by their flow's stream.
    pub(super) fn read_framed(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        loop {
            let rest = self.pull(number, CHUNK, shared);
            if let Rest::Reset(code) = rest {
                return self.reset_by_peer(number, code, shared);
            }
            if !shared.flows.get(number).is_some_and(is_requested) {
                shared.counters.bad_requests += 1;
                return self.break_off(number, Code::Malformed, Closure::Reset, shared);
            }
            while let Some(message) = self.next_framed(number, shared) {
                self.take_message(now, number, message, shared);
            }
            match rest {
                Rest::More => {}
                Rest::End => return self.close_datagrams(number, shared),
                Rest::Later | Rest::Reset(_) => return,
            }
        }
    }

    /// A datagram that a flow holds as a whole. What is there of the next one is kept, as far as that may be of all of the link's.
    fn next_framed(&mut self, number: u32, shared: &mut Shared) -> Option<Bytes> {
        let flow = shared.flows.get(number)?;
        let dropped = flow.dropping.min(flow.held_bytes);
        flow.release(dropped);
        flow.dropping -= dropped;
        while flow.held_bytes > 0 {
            self.partial += flow.begin(missing(&flow.partial));
            if missing(&flow.partial) == 0 {
                let mut message = Bytes::from(std::mem::take(&mut flow.partial));
                self.partial -= message.len();
                message.advance(LENGTH);
                return Some(message);
            }
        }
        if self.partial > DATAGRAM_BUFFER && flow.partial.len() > LENGTH {
            flow.dropping = missing(&flow.partial);
            self.partial -= std::mem::take(&mut flow.partial).len();
            shared.counters.datagram_queue_full += 1;
        }
        None
    }

    /// Gives a datagram on: an address and its payload.
    fn take_message(&mut self, now: Instant, number: u32, mut message: Bytes, shared: &mut Shared) {
        let Ok(Some((remote, length))) = parse_address(&message) else {
            shared.counters.datagrams_malformed += 1;
            return;
        };
        if remote.port() == 0 {
            shared.counters.datagrams_malformed += 1;
            return;
        }
        message.advance(length);
        let number = if self.call.is_some() {
            Some(number)
        } else {
            self.part(now, number, remote, shared)
        };
        let name = number.and_then(|number| shared.flows.name(number));
        let (Some(number), Some(name)) = (number, name) else {
            return;
        };
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        if flow.stage != Stage::Datagrams {
            shared.counters.datagrams_malformed += 1;
            return;
        }
        let due = flow.talk(now, remote, &shared.limits);
        let end = flow.source;
        shared.deadlines.arm(number, due);
        let (source, destination) = if self.call.is_some() {
            (remote, end)
        } else {
            (end, remote)
        };
        let arrived = Arrived {
            flow: name,
            source,
            destination,
            payload: message,
        };
        shared.arrive(self.place, arrived);
    }

    /// The flow by which datagrams of a peer's source go to `remote`, a new one unless there is one: as with packets, each address
    /// of ours is a matter of its own, and all the world is one. `None` if there is no room.
    fn part(
        &mut self,
        now: Instant,
        source: u32,
        remote: SocketAddr,
        shared: &mut Shared,
    ) -> Option<u32> {
        let own = Some(remote).filter(|remote| shared.own.contains(&remote.ip()));
        let flow = shared.flows.get(source)?;
        let (stream, end) = (flow.stream, flow.source);
        let key = (stream.index(), own);
        if let Some(number) = self.parts.get(&key) {
            return Some(*number);
        }
        flow.stage = Stage::Source;
        if shared.flows.used() >= shared.limits.flows
            || self.parts.len() >= shared.limits.flows_per_peer
        {
            shared.counters.flows_full += 1;
            return None;
        }
        let mut part = Flow::new(self.place, stream, Stage::Datagrams, end, now);
        part.part_of = Some(source);
        part.own = own;
        let number = shared.flows.insert(part);
        self.parts.insert(key, number);
        self.leave_half_open(source, shared);
        let flow = shared.flows.christen(number)?;
        shared.events.push_back(Event::Incoming {
            flow,
            peer: self.peer,
            kind: Kind::Udp,
            source: end,
            destination: remote,
        });
        Some(number)
    }

    /// The flows of datagrams on a stream of the peer's.
    pub(super) fn parts_of(&self, index: u64) -> impl Iterator<Item = u32> {
        let all = (index, None)..(index.saturating_add(1), None);
        self.parts.range(all).map(|(_, number)| *number)
    }

    /// Ends a flow of datagrams as far as that does not end its stream. The flow of the stream, if that is to end with it.
    fn last_on_stream(&mut self, number: u32, how: Closure, shared: &mut Shared) -> Option<u32> {
        let flow = shared.flows.get(number)?;
        let Some(source) = flow.part_of else {
            return Some(number);
        };
        let index = flow.stream.index();
        self.end(number, how, shared);
        self.parts_of(index).next().is_none().then_some(source)
    }

    /// Ends a flow of datagrams in order.
    pub(super) fn close_datagrams(&mut self, number: u32, shared: &mut Shared) {
        let Some(number) = self.last_on_stream(number, Closure::Orderly, shared) else {
            return;
        };
        let Some(stream) = shared.flows.get(number).map(|flow| flow.stream) else {
            return;
        };
        if let Some(connection) = self.connection() {
            // It may be over already.
            let _ = connection.send_stream(stream).finish();
        }
        self.stop(stream, Code::Done);
        self.end(number, Closure::Orderly, shared);
    }

    /// A flow of datagrams may have been idle for too long. Whether it was.
    pub(super) fn expire_datagrams(&mut self, now: Instant, number: u32, shared: &mut Shared) {
        let Some(flow) = shared.flows.get(number) else {
            return;
        };
        let due = flow.active + flow.idle(&shared.limits);
        if due > now {
            shared.deadlines.arm(number, due);
            return;
        }
        shared.counters.datagrams_expired += 1;
        if let Some(number) = self.last_on_stream(number, Closure::Expired, shared) {
            self.break_off(number, Code::TimedOut, Closure::Expired, shared);
        }
    }
}

impl Flow {
    /// Notes a datagram of either direction. When the flow ends if no other follows.
    fn talk(&mut self, now: Instant, remote: SocketAddr, limits: &Limits) -> Instant {
        self.active = now;
        self.only_dns &= remote.port() == DNS;
        now + self.idle(limits)
    }

    /// How long it may be idle.
    fn idle(&self, limits: &Limits) -> Duration {
        if self.only_dns {
            limits.dns_idle
        } else {
            limits.datagram_idle
        }
    }
}

/// Takes the request, if it is there, of a flow whose datagrams came before it; `false` if it is another.
fn is_requested(flow: &mut Flow) -> bool {
    if flow.requested {
        return true;
    }
    let Some(kind) = flow.held.front().and_then(|bytes| bytes.first()) else {
        return true;
    };
    if *kind != DATAGRAMS {
        return false;
    }
    flow.release(1);
    flow.requested = true;
    true
}

/// Bytes that a datagram lacks of which `partial` is the beginning: of its length, or of the whole.
fn missing(partial: &[u8]) -> usize {
    match partial.split_first_chunk() {
        None => LENGTH - partial.len(),
        Some((length, begun)) => {
            usize::from(u16::from_be_bytes(*length)).saturating_sub(begun.len())
        }
    }
}

impl Flow {
    /// Moves up to `most` of the bytes that are held to the beginning of a datagram; how many.
    fn begin(&mut self, most: usize) -> usize {
        let mut count = 0;
        for chunk in &self.held {
            if count == most {
                break;
            }
            let part = chunk.get(..most - count).unwrap_or(chunk);
            self.partial.extend_from_slice(part);
            count += part.len();
        }
        self.release(count);
        count
    }
}

#[cfg(test)]
mod tests;
