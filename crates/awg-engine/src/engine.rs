//! The handle: commands go down, events come up. Nothing here waits for the network.
//!
//! ```text
//!   Engine ── Command queue, waker ──▶ thread: Shard ── Event queue, event descriptor ──▶ Engine
//!           (one of each a shard)                           (one for all)
//! ```

mod opening;

use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::command::{Command, CommandError, NotTaken};
use crate::descriptors::open_descriptors;
use crate::event::Event;
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::routes::Routes;
use crate::settings::{EngineSettings, SettingsError, StartError};
use crate::shard::{Prepared, Shard};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::terms::PeerSettings;
use crate::thread;

/// How long [`Engine::snapshot`] waits for the loop, whose turns take milliseconds.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(5);

/// An engine: its shards, each with a tunnel, a network stack and a thread. Dropping it stops it.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    life: Mutex<Life>,
    /// How long a dial may take.
    dial: Duration,
}

#[derive(Debug)]
enum Life {
    Prepared(Vec<Prepared>),
    Running(Vec<JoinHandle<()>>),
    Stopped,
}

impl Engine {
    /// Checks `settings` and prepares the engine. Nothing is bound or sent yet.
    ///
    /// # Errors
    /// What is wrong with the settings, see [`SettingsError`].
    pub fn new(settings: EngineSettings) -> Result<Self, SettingsError> {
        let shards = settings.shards();
        let routes = Routes::new(shards, &settings.peers);
        let shared = Shared::new(&settings.limits, routes).map_err(SettingsError::Descriptor)?;
        let dial = settings.limits.dial;
        let prepared = Prepared::all(settings)?;
        Ok(Self {
            shared: Arc::new(shared),
            life: Mutex::new(Life::Prepared(prepared)),
            dial,
        })
    }

    /// How many loops share the peers among them.
    pub fn workers(&self) -> usize {
        self.shared.desks.len()
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the limit of open files, binds the UDP sockets and starts the threads. After a failure it may be tried again,
    /// unless it was a thread that the system had none of, which leaves the engine stopped.
    ///
    /// # Errors
    /// A port is taken or forbidden, or the system has nothing left; see [`StartError`].
    pub fn start(&self) -> Result<(), StartError> {
        let mut life = self.life();
        let Life::Prepared(prepared) = &*life else {
            return Err(StartError::AlreadyStarted);
        };
        let bound = Prepared::bind_all(prepared)?;
        let Life::Prepared(prepared) = mem::replace(&mut *life, Life::Stopped) else {
            return Err(StartError::AlreadyStarted);
        };
        let mut addresses: Vec<SocketAddr> = Vec::new();
        let mut threads = Vec::new();
        for (binding, _) in &bound {
            for address in binding.local_addresses() {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            self.shared.events.bound_flows(binding.flow_bounds().flows);
        }
        // Nobody set them before: a start that fails ends above.
        let _ = self.shared.local_addresses.set(addresses);
        let mut shards = Vec::new();
        for ((prepared, (binding, waker)), desk) in
            prepared.into_iter().zip(bound).zip(&self.shared.desks)
        {
            let _ = desk.waker.set(waker);
            shards.push(Shard::new(prepared, binding, Arc::clone(&self.shared)));
        }
        for shard in shards {
            match thread::spawn(shard, Arc::clone(&self.shared)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    self.shared.stopping.store(true, Ordering::Release);
                    self.shared.wake_all();
                    for thread in threads {
                        let _ = thread.join();
                    }
                    return Err(error.into());
                }
            }
        }
        *life = Life::Running(threads);
        for desk in &self.shared.desks {
            // The thread may have ended already; then this opens nothing.
            desk.commands.open();
        }
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
    /// settings; where ports are left to the system and loops have some of their own, those of the further loops follow. Empty until the engine has started.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        self.shared.local_addresses.get().map_or(&[], Vec::as_slice)
    }

    /// Takes the events that wait, oldest first.
    pub fn take_events(&self) -> Vec<Event> {
        self.shared.events.take()
    }

    /// Answers a [`NameWanted`](Event::NameWanted): the first of `addresses` that the tunnel reaches is taken; without any, what
    /// waits is dropped. Or answers an [`AddressesWanted`](Event::AddressesWanted): the connection is to the first that accepts,
    /// as [`open`](Self::open) has it, in the time that is left of its dial; without any, it is refused. Nothing happens where
    /// nothing waits (any more).
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn name_found(
        &self,
        flow: FlowId,
        name: String,
        addresses: Vec<IpAddr>,
    ) -> Result<(), CommandError> {
        self.command_of(
            flow,
            Command::NameFound {
                flow,
                name,
                addresses,
            },
        )
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
        let shard = self.shared.shard_of(flow);
        self.command_with(shard, socket, |socket| Command::Attach { flow, socket })
            .map_err(not_taken)
    }

    /// Refuses a flow that came in and waits for its outer side, or a connection whose
    /// [`AddressesWanted`](Event::AddressesWanted) are not to be had. One that has ended meanwhile is no error.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn reject(&self, flow: FlowId, reason: Refusal) -> Result<(), CommandError> {
        self.command_of(flow, Command::Reject { flow, reason })
    }

    /// Ends a flow at once; a connection gets a reset on both sides. One that has ended meanwhile is no error.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn close_flow(&self, flow: FlowId) -> Result<(), CommandError> {
        self.command_of(flow, Command::Close { flow })
    }

    /// Makes `peers` the peers: adds, changes and removes what differs. Flows of a peer that is removed, or whose keys
    /// change, end; other terms hold at once, and end none, unless the quota is nothing. What the tunnel refuses is reported
    /// by an event and left out.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn set_peers<P: Into<PeerSettings>>(&self, peers: Vec<P>) -> Result<(), CommandError> {
        let peers: Vec<PeerSettings> = peers.into_iter().map(Into::into).collect();
        let mut routes = self.shared.routes();
        if self.workers() > 1 {
            routes.replace(&peers);
        }
        self.command_all(|| Command::SetPeers {
            peers: peers.clone(),
        })
    }

    /// Begins a handshake at once with every peer whose endpoint is known, also where there is a session: for an embedder that
    /// learns that the network changed. Two initiations to one peer stay as far apart as the protocol wants; until then a
    /// keepalive by the session shows the peer where this end is now.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn handshake(&self) -> Result<(), CommandError> {
        let _one_order = self.shared.routes();
        self.command_all(|| Command::Handshake)
    }

    /// Counters and peers as they are now, or as they were when the engine stopped. Waits for the next turn of each loop.
    ///
    /// # Errors
    /// [`CommandError::QueueFull`], [`CommandError::NoAnswer`].
    pub fn snapshot(&self) -> Result<Snapshot, CommandError> {
        let mut snapshot = self.snapshot_of_loops()?;
        // Counted here and not in the loop: with many descriptors it takes milliseconds.
        if let Some(open) = open_descriptors() {
            snapshot
                .counters
                .push(("process_open_descriptors".to_owned(), open as u64));
        }
        Ok(snapshot)
    }

    fn snapshot_of_loops(&self) -> Result<Snapshot, CommandError> {
        // All are asked before the first one is waited for.
        let asked: Vec<_> = (0..self.workers())
            .map(|shard| {
                let (answer, answered) = sync_channel(1);
                let asked = self.command_with(shard, (), |()| Command::Snapshot { answer });
                asked.map(|()| answered).map_err(|(error, ())| error)
            })
            .collect();
        let mut all: Option<Snapshot> = None;
        for (shard, asked) in asked.into_iter().enumerate() {
            let last = || self.shared.desks[shard].last_snapshot().clone();
            let snapshot =
                match asked {
                    Ok(answered) => answered.recv_timeout(SNAPSHOT_PATIENCE).or_else(|_| {
                        match &*self.life() {
                            Life::Running(threads)
                                if threads.get(shard).is_some_and(|one| !one.is_finished()) =>
                            {
                                Err(CommandError::NoAnswer)
                            }
                            _ => Ok(last()),
                        }
                    })?,
                    Err(CommandError::NotRunning) => last(),
                    Err(error) => return Err(error),
                };
            match &mut all {
                None => all = Some(snapshot),
                Some(all) => all.merge(snapshot),
            }
        }
        Ok(all.unwrap_or_default())
    }

    /// Takes no new flows from now on: `open` fails, and flows of peers are refused.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    /// Ends the engine: every flow is reset, every descriptor closed, the threads joined. The flows' last events can be
    /// taken afterwards. It always ends, and may be called again.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.wake_all();
        let ended = mem::replace(&mut *self.life(), Life::Stopped);
        if let Life::Running(threads) = ended {
            for thread in threads {
                // A panic of the thread was caught and reported inside it.
                let _ = thread.join();
            }
        }
    }

    #[cfg(test)]
    fn panic(&self) -> Result<(), CommandError> {
        self.command_with(0, (), |()| Command::Panic)
            .map_err(|(error, ())| error)
    }

    /// Says something of a flow to its shard.
    fn command_of(&self, flow: FlowId, command: Command) -> Result<(), CommandError> {
        self.command_with(self.shared.shard_of(flow), (), |()| command)
            .map_err(|(error, ())| error)
    }

    /// Says something to all shards.
    fn command_all(&self, command: impl Fn() -> Command) -> Result<(), CommandError> {
        (0..self.workers()).try_for_each(|shard| {
            self.command_with(shard, (), |()| command())
                .map_err(|(error, ())| error)
        })
    }

    fn command_with<T>(
        &self,
        shard: usize,
        given: T,
        command: impl FnOnce(T) -> Command,
    ) -> Result<(), (CommandError, T)> {
        let desk = &self.shared.desks[shard];
        if desk.commands.push(given, command)? {
            desk.wake();
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

#[cfg(test)]
mod tests;
