//! One peer's end of the carrier ([`Link`]): its QUIC endpoint and the one connection on it. What is on the connection's streams
//! is [`streams`](super::streams)', its datagrams [`datagrams`](super::datagrams)'; who calls and when again is [`call`](super::call)'s.
//!
//! Each method may be given anything by the peer. What QUIC does not take ends the connection, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use noq_proto::{
    Connection, ConnectionError, ConnectionHandle, DatagramEvent, Dir, Endpoint, EndpointConfig,
    EndpointEvent, Event as Told, FourTuple, PathId, StreamEvent, VarInt,
};
use rand::RngExt;

use super::backlog::Backlog;
use super::call::Call;
use super::company::Company;
use super::credit::Credit;
use super::frames::{self, Frame, Reset};
use super::grant::Grant;
use super::guard::{Burden, Sorting};
use super::lingering::Lingering;
use super::pieces::Load;
use super::settings;
use super::shared::{Reply, Shared};
use super::short::{Short, is_short};
use super::volley::Volley;
use crate::event::{CarrierLoss, Closure, Event};
use crate::flow::Peer;

/// A link that hears nothing of what it asked for so long is dead, if its peer was heard of meanwhile.
const SILENT: Duration = Duration::from_secs(10);

/// The peer must have been heard of so long after the question.
const HEARD_AFTER: Duration = Duration::from_secs(5);

/// A connection, and its name at the endpoint.
pub(super) struct Wire {
    pub(super) handle: ConnectionHandle,
    pub(super) connection: Connection,
}

/// See the module.
pub(super) struct Link {
    pub(super) peer: Peer,
    /// Its place among the links.
    pub(super) place: u32,
    pub(super) own: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) endpoint: Endpoint,
    pub(super) wire: Option<Wire>,
    /// One that its client began while that was up, and where it is: it takes its place once its client is heard.
    pub(super) coming: Option<(Wire, SocketAddr, SocketAddr)>,
    /// Whether the handshake is done.
    pub(super) up: bool,
    /// The embedder knows that it is not.
    pub(super) is_down: bool,
    /// When it was made, or its connection was.
    pub(super) since: Instant,
    /// The flows by the index of their stream.
    pub(super) streams: HashMap<u64, u32>,
    /// Flows of a peer's datagrams, by the index of their stream and the address of ours that they go to, if they do.
    pub(super) parts: BTreeMap<(u64, Option<SocketAddr>), u32>,
    /// Flows that failed at this end, and still send.
    pub(super) lingering: Lingering,
    /// Streams of the peer that were seen.
    pub(super) accepted: u64,
    /// Of these, those of which nothing came yet.
    pub(super) half_open: usize,
    pub(super) credit: Credit,
    pub(super) company: Company,
    pub(super) backlog: Backlog,
    pub(super) grant: Grant,
    /// How far streams arrived that are no flows yet.
    pub(super) unnoticed: BTreeMap<u64, u64>,
    /// How often a flow sent something.
    pub(super) turn: u64,
    /// Pieces of all streams that may not have been read.
    pub(super) pieces: u32,
    /// And of streams that are no flows yet.
    pub(super) strange: Load,
    pub(super) sorting: Sorting,
    /// Its peer is to have no other one for a while.
    pub(super) is_barred: bool,
    /// Bytes that flows hold since they came in many pieces.
    pub(super) gathered: usize,
    /// The flow of the last frame.
    pub(super) last: u32,
    /// Those of the last datagram.
    pub(super) frames: Vec<Frame>,
    pub(super) resets: Vec<Reset>,
    /// And the flows that have too many with them.
    pub(super) burdened: Vec<u32>,
    /// Bytes of datagrams that came by streams and are not there as a whole.
    pub(super) partial: usize,
    /// QUIC datagrams that arrived, taken or dropped.
    pub(super) heard: u64,
    /// The first datagram that was sent since one was received.
    asked: Option<Instant>,
    volley: Volley,
    /// Ours to keep up.
    pub(super) call: Option<Call>,
    /// In the queue of those that may have something to send.
    pub(super) is_dirty: bool,
    /// In the queue of those that may have something to tell.
    pub(super) is_heard: bool,
}

impl Link {
    /// An endpoint without a connection. With `listens`, the size of a QUIC datagram, it takes them.
    pub(super) fn new(
        peer: Peer,
        own: SocketAddr,
        remote: SocketAddr,
        config: Arc<EndpointConfig>,
        listens: Option<u16>,
        shared: &Shared,
        now: Instant,
    ) -> Self {
        let company = Company::default();
        let server = listens.map(|size| settings::server(&shared.limits, size, company.mixed()));
        Self {
            peer,
            place: 0,
            own,
            remote,
            endpoint: Endpoint::new(config, server, false),
            wire: None,
            coming: None,
            is_down: false,
            up: false,
            since: now,
            streams: HashMap::new(),
            parts: BTreeMap::new(),
            lingering: Lingering::default(),
            accepted: 0,
            half_open: 0,
            credit: Credit::new(&shared.windows),
            company,
            backlog: Backlog::default(),
            grant: Grant::default(),
            unnoticed: BTreeMap::new(),
            turn: 0,
            pieces: 0,
            strange: Load::default(),
            sorting: Sorting::new(now),
            is_barred: false,
            gathered: 0,
            last: 0,
            frames: Vec::new(),
            resets: Vec::new(),
            burdened: Vec::new(),
            partial: 0,
            heard: 0,
            asked: None,
            volley: Volley::default(),
            call: None,
            is_dirty: false,
            is_heard: false,
        }
    }

    /// The connection.
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.wire.as_mut().map(|wire| &mut wire.connection)
    }

    /// Calls the other end, on a fresh endpoint.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        config: Arc<EndpointConfig>,
        size: u16,
        shared: &mut Shared,
    ) {
        self.endpoint = Endpoint::new(config, None, false);
        let id = shared.rng.random();
        let client = settings::client(&shared.limits, size, id, self.company.mixed());
        self.wire = self
            .endpoint
            .connect(now, client, self.remote, "carrier")
            .ok()
            .map(|(handle, connection)| Wire { handle, connection });
        self.begin(now, shared);
    }

    /// Forgets what was of an earlier connection.
    pub(super) fn begin(&mut self, now: Instant, shared: &Shared) {
        self.up = false;
        self.since = now;
        self.accepted = 0;
        self.heard = 0;
        self.asked = None;
        self.credit = Credit::new(&shared.windows);
        self.company.forget();
        self.backlog = Backlog::default();
        self.grant = Grant::default();
        self.unnoticed.clear();
    }

    /// Takes a datagram. `Err` if it is too much for the connection; that it ended it otherwise is told by
    /// [`settle`](Self::settle).
    pub(super) fn handle(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        mut data: BytesMut,
        shared: &mut Shared,
    ) -> Result<(), CarrierLoss> {
        let short = Short::of(&data);
        let mut granted = None;
        let found = frames::find(&data, &mut self.frames, &mut self.resets, &mut granted);
        self.finish_stopped(&mut data);
        let mut burden = Burden::Borne;
        let path = FourTuple::from_remote(from);
        let mut answer = Vec::new();
        let mut event = self.endpoint.handle(now, path, None, data, &mut answer);
        if let (None, Some(short)) = (&event, short) {
            let longer = BytesMut::from(&short.0[..]);
            event = self.endpoint.handle(now, path, None, longer, &mut answer);
        }
        match event {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(wire) = &mut self.wire
                    && wire.handle == handle
                {
                    self.asked = None;
                    wire.connection.handle_event(event);
                    if let Some(granted) = granted {
                        self.grant.raise(granted);
                    }
                    self.look_at_clock(now);
                    self.hear_lingering(now);
                    burden = self.weigh(now, found, shared);
                } else if let Some((coming, ..)) = &mut self.coming
                    && coming.handle == handle
                {
                    coming.connection.handle_event(event);
                    self.hear_coming(now, shared);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => {
                let accepted = self.endpoint.accept(incoming, now, &mut answer, None);
                match accepted {
                    Ok((handle, connection)) if self.up => {
                        self.drop_coming();
                        self.coming = Some((Wire { handle, connection }, to, from));
                        self.hear_coming(now, shared);
                    }
                    Ok((handle, connection)) => {
                        // Its client began anew: the one before is no more.
                        self.hang_up(shared, Closure::Reset);
                        self.wire = Some(Wire { handle, connection });
                        (self.own, self.remote) = (to, from);
                        self.begin(now, shared);
                    }
                    Err(error) if error.response.is_some() => self.answer(from, to, answer, shared),
                    Err(_) => {}
                }
            }
            // Only the end that is called resets: two that do could go on for long.
            Some(DatagramEvent::Response(_)) if self.call.is_none() => {
                if is_short(&answer) {
                    shared.counters.resets_sent += 1;
                }
                self.answer(from, to, answer, shared);
            }
            Some(DatagramEvent::Response(_)) | None => {}
        }
        self.relieve(now, burden, shared)
    }

    pub(super) fn answer(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        payload: Vec<u8>,
        shared: &mut Shared,
    ) {
        shared.reply(Reply {
            peer: self.peer,
            from: to,
            to: from,
            payload,
        });
    }

    /// Hears what the connection has to say. `Err` is its end.
    pub(super) fn settle(&mut self, now: Instant, shared: &mut Shared) -> Result<(), CarrierLoss> {
        let Some(wire) = &mut self.wire else {
            return Ok(());
        };
        while let Some(event) = wire.connection.poll_endpoint_events() {
            // What comes back are further connection IDs. None is given to the other end: a carrier keeps to one path, and so to
            // the ID whose reset token it knows from the handshake.
            self.endpoint.handle_event(wire.handle, event);
        }
        let was_up = self.up;
        let mut has_datagrams = false;
        let mut writable = Vec::new();
        while let Some(told) = self.connection().and_then(Connection::poll) {
            match told {
                Told::Connected => self.connected(shared),
                Told::ConnectionLost { reason } => {
                    // One that ended as soon as it was up has not left the handshake behind: it has no last word.
                    self.up = was_up;
                    return Err(loss(&reason));
                }
                Told::Stream(StreamEvent::Opened { dir: Dir::Bi }) => {
                    self.accept_streams(now, shared);
                }
                Told::Stream(StreamEvent::Readable { id }) => self.readable(now, id, shared),
                Told::Stream(StreamEvent::Writable { id }) => writable.push(id),
                Told::Stream(StreamEvent::Finished { id }) => self.acknowledged(id, shared),
                Told::Stream(StreamEvent::Stopped { id, error_code }) => {
                    self.stopped(now, id, error_code, shared);
                }
                Told::DatagramReceived => has_datagrams = true,
                _ => {}
            }
        }
        self.are_writable(writable, shared);
        while let Some(stream) = self.grant.wake() {
            self.are_writable(vec![stream], shared);
        }
        self.strange = Load::default();
        self.unnoticed.clear();
        // After the streams that they belong to.
        if has_datagrams {
            self.take_datagrams(now, shared);
        }
        Ok(())
    }

    fn connected(&mut self, shared: &mut Shared) {
        self.up = true;
        self.is_down = false;
        let most = self.connection().and_then(|connection| {
            let told = connection.crypto_session().handshake_data()?;
            told.downcast::<u64>().ok()
        });
        if let Some(most) = most {
            self.grant.begin(*most);
        }
        shared.counters.established += 1;
        if let Some(call) = &mut self.call {
            call.answered();
            let peer = self.peer;
            shared.events.push_back(Event::CarrierUp { peer });
        }
    }

    /// Tells the embedder, once, that there is no carrier.
    pub(super) fn tell_down(&mut self, why: CarrierLoss, shared: &mut Shared) {
        if !std::mem::replace(&mut self.is_down, true) {
            let peer = self.peer;
            shared.events.push_back(Event::CarrierDown { peer, why });
        }
    }

    /// Writes datagrams of one turn into `out`, which is empty; the size of each but the last, or `None` if there is nothing to
    /// send.
    pub(super) fn transmit(
        &mut self,
        now: Instant,
        out: &mut Vec<u8>,
        shared: &mut Shared,
    ) -> Option<usize> {
        let wire = self.wire.as_mut()?;
        self.credit
            .adjust(&mut wire.connection, &shared.windows, &mut shared.counters);
        self.backlog
            .tell(&mut wire.connection, self.credit.window());
        self.watch_room(now, shared);
        self.company.look(self.backlog.second);
        let wire = self.wire.as_mut()?;
        let most = self.volley.most();
        let transmit = wire.connection.poll_transmit(now, most, out)?;
        self.volley.written();
        self.asked.get_or_insert(now);
        Some(transmit.segment_size.unwrap_or(transmit.size))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let connection = self
            .wire
            .as_ref()
            .and_then(|wire| wire.connection.poll_timeout());
        let call = self.call.as_ref().and_then(|call| call.next(self));
        let coming = self.coming.as_ref();
        let coming = coming.and_then(|(wire, ..)| wire.connection.poll_timeout());
        let room = self.backlog.next_look();
        let lingering = self.lingering.next_timeout();
        [connection, call, coming, room, lingering]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what the connection has due. `Err` if it is dead.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        last_heard: Option<Instant>,
    ) -> Result<(), CarrierLoss> {
        let Some(wire) = &mut self.wire else {
            return Ok(());
        };
        wire.connection.handle_timeout(now);
        self.volley.timer_fired();
        if wire.connection.poll_timeout().is_none() {
            // Nothing is on its way: nothing to be answered.
            self.asked = None;
        }
        let unanswered = self
            .asked
            .is_some_and(|asked| now.saturating_duration_since(asked) >= SILENT);
        let alive =
            last_heard.is_some_and(|heard| self.asked.is_some_and(|at| heard >= at + HEARD_AFTER));
        if self.up && unanswered && alive {
            return Err(CarrierLoss::TimedOut);
        }
        Ok(())
    }

    /// Whether something that the other end answers is on its way.
    pub(super) fn waits(&self) -> bool {
        let wire = self.wire.as_ref();
        wire.is_some_and(|wire| wire.connection.poll_timeout().is_some())
    }

    /// The peer is back after a while: what waits leaves at once, however far timers have backed off.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(connection) = self.connection() {
            // Asks the other end, and forgets how far timers have backed off; what they are for is due then.
            connection.handle_network_change(None, now);
            connection.handle_timeout(now);
        }
        self.volley.timer_fired();
        self.asked = None;
    }

    /// Says that the connection ends, if it can be said in one packet, and ends it.
    pub(super) fn close(&mut self, now: Instant, shared: &mut Shared, how: Closure) {
        if let Some(connection) = self.connection() {
            connection.close(now, VarInt::from_u32(0), Bytes::new());
        }
        self.last_word(now, shared);
        self.hang_up(shared, how);
    }

    /// What a connection that is over has still to say. In the handshake it says nothing: QUIC would say it once for each kind of
    /// packet, in one datagram, which may be too short for that.
    pub(super) fn last_word(&mut self, now: Instant, shared: &mut Shared) {
        let is_up = self.up;
        let Some(connection) = self.connection().filter(|_| is_up) else {
            return;
        };
        let mut payload = Vec::new();
        if connection
            .poll_transmit(now, NonZeroUsize::MIN, &mut payload)
            .is_some()
        {
            self.answer(self.remote, self.own, payload, shared);
        }
    }

    /// Ends the connection and its flows without a word.
    pub(super) fn hang_up(&mut self, shared: &mut Shared, how: Closure) {
        if let Some(mut wire) = self.wire.take() {
            let lost = wire.connection.path_stats(PathId::ZERO);
            shared.counters.packets_lost += lost.map_or(0, |stats| stats.lost_packets);
            self.endpoint
                .handle_event(wire.handle, EndpointEvent::drained());
        }
        self.up = false;
        self.end_all(shared, how);
        self.backlog = Backlog::default();
    }
}

/// What the end of a connection means for the carrier.
fn loss(reason: &ConnectionError) -> CarrierLoss {
    match reason {
        ConnectionError::VersionMismatch => CarrierLoss::Version,
        ConnectionError::Reset => CarrierLoss::Reset,
        ConnectionError::TimedOut => CarrierLoss::TimedOut,
        _ => CarrierLoss::Failed,
    }
}
