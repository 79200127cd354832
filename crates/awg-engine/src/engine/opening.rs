//! Flows that the embedder begins: connections, datagrams, associations.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;

use awg_netstack::Target;
use socket2::{Domain, Socket, Type};

use super::{Engine, not_taken};
use crate::command::{Command, CommandError, NotTaken, Replies};
use crate::flow::FlowId;
use crate::relay::Client;

/// A socket pair for messages, of which one end learns that the other one is gone where the system has such pairs.
const MESSAGES: Type = if cfg!(target_os = "linux") {
    Type::SEQPACKET
} else {
    Type::DGRAM
};

impl Engine {
    /// Connects `application`, a stream socket, to the first of `destinations` that accepts.
    ///
    /// Attempts begin in the order given, each [`stagger`](crate::Limits::stagger) after the one before or as soon as it
    /// failed; the first to stand wins. Then the reply for the outcome is written to the application, once, and bytes
    /// are relayed, `early` first. If the application hangs up before, the attempts end. One that has only ended its own
    /// side still gets its answer; of a TCP socket that cannot be told from a close without a reset, which is noticed when
    /// the reply is written.
    ///
    /// Where the settings want a [carrier](crate::Carrier) an attempt is a stream of its own, whose reply comes when the target has
    /// accepted: an address is asked of the peer that it is behind, a name, which the peer looks up, of any peer that has a
    /// carrier. Of a single destination `early` travels with the request. While the carrier is not up attempts wait, for as long
    /// as dials may ([`dial`](crate::Limits::dial)). Unless no other way is wanted, an address is connected to by packets
    /// instead, and of a single name the [addresses](crate::Event::AddressesWanted) are asked for.
    ///
    /// # Errors
    /// See [`CommandError`]; the descriptor is given back.
    pub fn open<T: Into<Target>>(
        &self,
        destinations: impl IntoIterator<Item = T>,
        application: OwnedFd,
        early: Vec<u8>,
        replies: Replies,
    ) -> Result<FlowId, NotTaken> {
        let destinations: Vec<Target> = destinations.into_iter().map(Into::into).collect();
        if destinations.is_empty() {
            return Err(NotTaken {
                error: CommandError::NoDestination,
                descriptor: application,
            });
        }
        let replies = Box::new(replies);
        let (shard, destinations, elsewhere) = self.shared.part(destinations, self.dial);
        self.begin(shard, application, |flow, application| Command::Open {
            flow,
            destinations,
            application,
            early,
            replies,
            elsewhere,
        })
        .map_err(not_taken)
    }

    /// Connects to the first of `destinations` that accepts, as [`open`](Self::open), and gives the flow and the caller's end of a stream socket
    /// pair. Nothing but the connection's bytes is ever written to it; if the connection fails it is reset or closed.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn open_stream<T: Into<Target>>(
        &self,
        destinations: impl IntoIterator<Item = T>,
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
        let shard = self.shared.routes().shard(destination.ip());
        let (ours, theirs) =
            Socket::pair(Domain::UNIX, MESSAGES, None).map_err(|error| no_pair(&error))?;
        let flow = self
            .begin(shard, ours.into(), |flow, application| {
                Command::OpenDatagrams {
                    flow,
                    destination,
                    application,
                }
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
    /// the egress policy of the settings. A name is asked for by [`NameWanted`](crate::Event::NameWanted), and answered with
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
        let shard = self.shared.routes().widest();
        self.begin(shard, [control, datagrams], |flow, [control, datagrams]| {
            Command::OpenAssociation {
                flow,
                control,
                datagrams,
                client,
            }
        })
    }

    /// Begins a flow of a shard with a command that takes what is `given`, or gives it back.
    fn begin<T>(
        &self,
        shard: usize,
        given: T,
        command: impl FnOnce(FlowId, T) -> Command,
    ) -> Result<FlowId, (CommandError, T)> {
        if self.shared.draining.load(Ordering::Relaxed) {
            return Err((CommandError::Draining, given));
        }
        if !self.shared.events.admit() {
            return Err((CommandError::TooManyFlows, given));
        }
        let flow = self.shared.next_flow(shard);
        self.command_with(shard, given, |given| command(flow, given))
            .map(|()| flow)
            .inspect_err(|_| self.shared.events.cancel())
    }
}

fn no_pair(error: &io::Error) -> CommandError {
    CommandError::NoSocketPair(error.raw_os_error().unwrap_or(0))
}
