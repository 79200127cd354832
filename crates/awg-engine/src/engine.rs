//! The handle: commands go down, events come up. Nothing here waits for the network.
//!
//! ```text
//!   Engine ── Command queue, waker ──▶ thread: Shard ── Event queue, event descriptor ──▶ Engine
//! ```

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, mem};

use socket2::{Domain, Socket, Type};

use crate::command::{Command, CommandError, NotTaken, Replies};
use crate::descriptors::open_descriptors;
use crate::event::Event;
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::relay::Client;
use crate::settings::{EngineSettings, SettingsError, StartError};
use crate::shard::{Prepared, Shard};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::terms::PeerSettings;
use crate::thread;

/// How long [`Engine::snapshot`] waits for the loop, whose turns take milliseconds.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(5);

/// A socket pair for messages, of which one end learns that the other one is gone where the system has such pairs.
const MESSAGES: Type = if cfg!(target_os = "linux") {
    Type::SEQPACKET
} else {
    Type::DGRAM
};

/// An engine: one tunnel, one network stack, one thread. Dropping it stops it.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    life: Mutex<Life>,
}

#[derive(Debug)]
enum Life {
    Prepared(Box<Prepared>),
    Running(JoinHandle<()>),
    Stopped,
}

impl Engine {
    /// Checks `settings` and prepares the engine. Nothing is bound or sent yet.
    ///
    /// # Errors
    /// What is wrong with the settings, see [`SettingsError`].
    pub fn new(settings: EngineSettings) -> Result<Self, SettingsError> {
        let shared = Shared::new(&settings.limits).map_err(SettingsError::Descriptor)?;
        let shared = Arc::new(shared);
        let prepared = Prepared::new(settings)?;
        Ok(Self {
            shared,
            life: Mutex::new(Life::Prepared(Box::new(prepared))),
        })
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the limit of open files, binds the UDP sockets and starts the thread. After a failure it may be tried again,
    /// unless it was the thread that the system had none of, which leaves the engine stopped.
    ///
    /// # Errors
    /// A port is taken or forbidden, or the system has nothing left; see [`StartError`].
    pub fn start(&self) -> Result<(), StartError> {
        let mut life = self.life();
        let Life::Prepared(prepared) = &*life else {
            return Err(StartError::AlreadyStarted);
        };
        let (binding, waker) = prepared.bind()?;
        let Life::Prepared(prepared) = mem::replace(&mut *life, Life::Stopped) else {
            return Err(StartError::AlreadyStarted);
        };
        // Nobody set them before: a start that fails ends above.
        let _ = self.shared.local_addresses.set(binding.local_addresses());
        let _ = self.shared.waker.set(waker);
        self.shared.events.bound_flows(binding.flow_bounds().flows);
        let shard = Shard::new(*prepared, binding, Arc::clone(&self.shared));
        *life = Life::Running(thread::spawn(shard, Arc::clone(&self.shared))?);
        // The thread may have ended already; then this opens nothing.
        self.shared.commands.open();
        Ok(())
    }

    /// The descriptor that is readable while events wait. It stays the engine's.
    pub fn event_fd(&self) -> BorrowedFd<'_> {
        self.shared.events.descriptor()
    }

    /// Where the first UDP socket is bound, once the engine has started.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.local_addresses().first().copied()
    }

    /// Where the UDP sockets are bound: those of the first obfuscation, then those of the further ones, in the order of the
    /// settings. Empty until the engine has started.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        self.shared.local_addresses.get().map_or(&[], Vec::as_slice)
    }

    /// Takes the events that wait, oldest first.
    pub fn take_events(&self) -> Vec<Event> {
        self.shared.events.take()
    }

    /// Connects `application`, a stream socket, to the first of `destinations` that accepts.
    ///
    /// Attempts begin in the order given, each [`stagger`](crate::Limits::stagger) after the one before or as soon as it
    /// failed; the first to stand wins. Then the reply for the outcome is written to the application, once, and bytes
    /// are relayed, `early` first. If the application hangs up before, the attempts end. One that has only ended its own
    /// side still gets its answer; of a TCP socket that cannot be told from a close without a reset, which is noticed when
    /// the reply is written.
    ///
    /// # Errors
    /// See [`CommandError`]; the descriptor is given back.
    pub fn open(
        &self,
        destinations: Vec<SocketAddr>,
        application: OwnedFd,
        early: Vec<u8>,
        replies: Replies,
    ) -> Result<FlowId, NotTaken> {
        if destinations.is_empty() {
            return Err(NotTaken {
                error: CommandError::NoDestination,
                descriptor: application,
            });
        }
        let replies = Box::new(replies);
        self.begin(application, |flow, application| Command::Open {
            flow,
            destinations,
            application,
            early,
            replies,
        })
        .map_err(not_taken)
    }

    /// Connects to the first of `destinations` that accepts, and gives the flow and the caller's end of a stream socket
    /// pair. Nothing but the connection's bytes is ever written to it; if the connection fails it is reset or closed.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn open_stream(
        &self,
        destinations: Vec<SocketAddr>,
    ) -> Result<(FlowId, OwnedFd), CommandError> {
        let (ours, theirs) = UnixStream::pair().map_err(|error| no_pair(&error))?;
        let flow = self
            .open(destinations, ours.into(), Vec::new(), Replies::default())
            .map_err(|refused| refused.error)?;
        Ok((flow, theirs.into()))
    }

    /// Opens a flow of datagrams to and from `destination`, and gives the flow and the caller's end of a socket pair that
    /// keeps the bounds of messages. On Linux that is `SOCK_SEQPACKET`: the flow ends when the caller closes its end, or
    /// shuts it down for writing, and the caller reads the end when the flow does. Elsewhere it is `SOCK_DGRAM`, where
    /// neither end learns of the other's, so the flow ends by [`close_flow`](Self::close_flow) or when it was idle for long.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn open_datagrams(
        &self,
        destination: SocketAddr,
    ) -> Result<(FlowId, OwnedFd), CommandError> {
        let (ours, theirs) =
            Socket::pair(Domain::UNIX, MESSAGES, None).map_err(|error| no_pair(&error))?;
        let flow = self
            .begin(ours.into(), |flow, application| Command::OpenDatagrams {
                flow,
                destination,
                application,
            })
            .map_err(|(error, _)| error)?;
        Ok((flow, theirs.into()))
    }

    /// Begins a SOCKS5 UDP association (RFC 1928, section 7), whose request was granted already. It ends with `control`, the
    /// application's connection, whatever is said on that; or when no datagram went either way for
    /// [`association_idle`](crate::Limits::association_idle).
    ///
    /// `datagrams` is the socket that the application was told of. Datagrams with SOCKS5's header are taken from it if they
    /// come from the address `client`, and from `port`; 0 = from the port of the first one. Their destinations are judged by
    /// the egress policy of the settings. A name is asked for by [`NameWanted`](Event::NameWanted), and answered with
    /// [`name_found`](Self::name_found). What comes back is delivered if it comes from an address that was sent to.
    ///
    /// # Errors
    /// See [`CommandError`]; the descriptors are given back, in their order.
    pub fn open_association(
        &self,
        control: OwnedFd,
        datagrams: OwnedFd,
        client: IpAddr,
        port: u16,
    ) -> Result<FlowId, (CommandError, [OwnedFd; 2])> {
        let client = Client {
            address: client,
            port,
        };
        self.begin([control, datagrams], |flow, [control, datagrams]| {
            Command::OpenAssociation {
                flow,
                control,
                datagrams,
                client,
            }
        })
    }

    /// Answers a [`NameWanted`](Event::NameWanted): the first of `addresses` that the tunnel reaches is taken; without any, what
    /// waits is dropped. Nothing happens where nothing waits (any more).
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn name_found(
        &self,
        flow: FlowId,
        name: String,
        addresses: Vec<IpAddr>,
    ) -> Result<(), CommandError> {
        self.command(Command::NameFound {
            flow,
            name,
            addresses,
        })
    }

    /// Gives a flow that came in its outer side.
    ///
    /// - TCP: a stream socket that is connected, or still connecting without blocking. The engine waits for it
    ///   ([`dial`](crate::Limits::dial) at most), turns a failure into the true refusal, and only then accepts the flow.
    /// - UDP: a datagram socket of the right family that is not connected; each destination must pass the policy.
    /// - UDP to this end's own address: a datagram socket that is connected to whoever answers there; all is passed on.
    ///
    /// A flow that has ended meanwhile is no error: the socket is closed.
    ///
    /// # Errors
    /// See [`CommandError`]; the descriptor is given back.
    pub fn attach(&self, flow: FlowId, socket: OwnedFd) -> Result<(), NotTaken> {
        self.command_with(socket, |socket| Command::Attach { flow, socket })
            .map_err(not_taken)
    }

    /// Refuses a flow that came in and waits for its outer side. One that has ended meanwhile is no error.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn reject(&self, flow: FlowId, reason: Refusal) -> Result<(), CommandError> {
        self.command(Command::Reject { flow, reason })
    }

    /// Ends a flow at once; a connection gets a reset on both sides. One that has ended meanwhile is no error.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn close_flow(&self, flow: FlowId) -> Result<(), CommandError> {
        self.command(Command::Close { flow })
    }

    /// Makes `peers` the peers: adds, changes and removes what differs. Flows of a peer that is removed, or whose keys
    /// change, end; other terms hold at once, and end none, unless the quota is nothing. What the tunnel refuses is reported
    /// by an event and left out.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn set_peers<P: Into<PeerSettings>>(&self, peers: Vec<P>) -> Result<(), CommandError> {
        let peers = peers.into_iter().map(Into::into).collect();
        self.command(Command::SetPeers { peers })
    }

    /// Begins a handshake at once with every peer whose endpoint is known, also where there is a session: for an embedder that
    /// learns that the network changed. Two initiations to one peer stay as far apart as the protocol wants; until then a
    /// keepalive by the session shows the peer where this end is now.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn handshake(&self) -> Result<(), CommandError> {
        self.command(Command::Handshake)
    }

    /// Counters and peers as they are now, or as they were when the engine stopped. Waits for the loop's next turn.
    ///
    /// # Errors
    /// [`CommandError::QueueFull`], [`CommandError::NoAnswer`].
    pub fn snapshot(&self) -> Result<Snapshot, CommandError> {
        let mut snapshot = self.snapshot_of_loop()?;
        // Counted here and not in the loop: with many descriptors it takes milliseconds.
        if let Some(open) = open_descriptors() {
            snapshot
                .counters
                .push(("process_open_descriptors".to_owned(), open as u64));
        }
        Ok(snapshot)
    }

    fn snapshot_of_loop(&self) -> Result<Snapshot, CommandError> {
        let (answer, answered) = sync_channel(1);
        match self.command(Command::Snapshot { answer }) {
            Ok(()) => answered
                .recv_timeout(SNAPSHOT_PATIENCE)
                .or_else(|_| match &*self.life() {
                    Life::Running(thread) if !thread.is_finished() => Err(CommandError::NoAnswer),
                    _ => Ok(self.shared.last_snapshot().clone()),
                }),
            Err(CommandError::NotRunning) => Ok(self.shared.last_snapshot().clone()),
            Err(error) => Err(error),
        }
    }

    /// Takes no new flows from now on: `open` fails, and flows of peers are refused.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Ends the engine: every flow is reset, every descriptor closed, the thread joined. The flows' last events can be
    /// taken afterwards. It always ends, and may be called again.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.wake();
        let ended = mem::replace(&mut *self.life(), Life::Stopped);
        if let Life::Running(thread) = ended {
            // A panic of the thread was caught and reported inside it.
            let _ = thread.join();
        }
    }

    /// Begins a flow with a command that takes what is `given`, or gives it back.
    fn begin<T>(
        &self,
        given: T,
        command: impl FnOnce(FlowId, T) -> Command,
    ) -> Result<FlowId, (CommandError, T)> {
        if self.shared.draining.load(Ordering::Relaxed) {
            return Err((CommandError::Draining, given));
        }
        if !self.shared.events.admit() {
            return Err((CommandError::TooManyFlows, given));
        }
        let flow = self.shared.next_flow();
        self.command_with(given, |given| command(flow, given))
            .map(|()| flow)
            .inspect_err(|_| self.shared.events.cancel())
    }

    #[cfg(test)]
    fn panic(&self) -> Result<(), CommandError> {
        self.command(Command::Panic)
    }

    fn command(&self, command: Command) -> Result<(), CommandError> {
        self.command_with((), |()| command)
            .map_err(|(error, ())| error)
    }

    fn command_with<T>(
        &self,
        given: T,
        command: impl FnOnce(T) -> Command,
    ) -> Result<(), (CommandError, T)> {
        if self.shared.commands.push(given, command)? {
            self.shared.wake();
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

fn not_taken((error, descriptor): (CommandError, OwnedFd)) -> NotTaken {
    NotTaken { error, descriptor }
}

fn no_pair(error: &io::Error) -> CommandError {
    CommandError::NoSocketPair(error.raw_os_error().unwrap_or(0))
}

#[cfg(test)]
mod tests;
