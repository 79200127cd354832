"""The Rust half of awgproxy: the engine that moves packets, and a few pure functions on keys and parameters.

Conversions and nothing else happen at this boundary. No packet crosses it: a connection crosses once, as a file
descriptor, and comes back once, as an event. Sizes are in bytes, times in seconds, addresses in text form
(``"192.0.2.1"``, ``"2001:db8::1"``) with the port beside them. Keys are base64, 44 characters. All classes are
immutable, can be used from any thread, and show no key in their ``repr``.

Errors: ``ValueError`` for what can never work (its text begins with the argument's name), ``OSError`` with its
``errno`` for what the system refuses, ``RuntimeError`` for what is not possible in this state of the engine.
"""

from collections.abc import Sequence
from typing import Final, Literal, Self, TypeAlias, TypedDict, final

__all__ = [
    "AddressesWanted",
    "CarrierDown",
    "CarrierUp",
    "EgressPolicy",
    "Engine",
    "EngineFailed",
    "EngineSettings",
    "FlowClosed",
    "FlowConnected",
    "FlowIncoming",
    "FlowRefused",
    "HandshakeCompleted",
    "HandshakeFailed",
    "HandshakeUnanswered",
    "InitiationAccepted",
    "Limits",
    "LogRecord",
    "NameWanted",
    "PeerLimits",
    "PeerRoamed",
    "PeerSettings",
    "QuotaSpent",
    "Replies",
    "SessionEnded",
    "__version__",
    "check_key",
    "check_obfuscation",
    "generate_preshared_key",
    "generate_private_key",
    "largest_inner_packet",
    "message_type",
    "obfuscation_warnings",
    "path_mtu",
    "public_key",
]

__version__: Final[str]
"""The version of the extension, equal to that of the package."""

_Address: TypeAlias = tuple[str, int]
"""(IP address, port)."""

_Target: TypeAlias = tuple[str, int]
"""(IP address or name, port)."""

_Settings: TypeAlias = Sequence[tuple[str, str]]
"""Obfuscation parameters as (name, value), as a configuration has them: ``("Jc", "4")``; names in any case."""

_Rejection: TypeAlias = Literal[
    "refused", "network-unreachable", "host-unreachable", "prohibited", "timed-out", "failed"
]
"""Why a connection does not come to stand. ``failed`` stands for everything else, such as a bound that is reached."""

_Outcome: TypeAlias = Literal[
    "orderly", "reset", "timed-out", "expired", "refused", "hung-up", "peer-gone", "quota", "closed", "stopped"
]
"""How a flow ended: both sides were done; one side failed (the other got a reset); the far end fell silent; it was
idle for too long; it was refused; the application hung up before the connection stood; the peer was removed or is
unheard of; the peer that opened it has spent its quota; ``close_flow``; ``stop``."""

# ---- Keys ----

def generate_private_key() -> str:
    """Make a new private key from the system's randomness.

    Raises:
        OSError: the system has no randomness to give.
    """

def public_key(private: str) -> str:
    """Give the public key of a private key.

    Raises:
        ValueError: `private` is not a key; the text says what is wrong and does not repeat it.
    """

def generate_preshared_key() -> str:
    """Make a new preshared key from the system's randomness.

    Raises:
        OSError: the system has no randomness to give.
    """

def check_key(text: str) -> None:
    """Check that `text` can be a key, as strictly as a public key must be.

    Raises:
        ValueError: not 44 characters, not base64, all zero, or a point of low order (RFC 7748, section 6.1).
    """

# ---- Obfuscation parameters ----

def check_obfuscation(settings: _Settings) -> list[tuple[str, str]]:
    """Find everything that is wrong with `settings`, as (parameter, problem); ``[]`` if nothing is.

    The problem says what is allowed and does not repeat the parameter's name.
    """

def obfuscation_warnings(settings: _Settings, path_mtu: int, ipv6: bool) -> list[tuple[str, str]]:
    """Find what is allowed and yet deserves a second look, as (parameter, concern).

    Args:
        settings: Parameters without errors.
        path_mtu: The largest IP packet that the path to the peer carries whole, up to 65535.
        ipv6: Whether the peer is reached over IPv6.

    Raises:
        ValueError: `settings` has errors; see `check_obfuscation`.
    """

def largest_inner_packet(settings: _Settings, path_mtu: int, ipv6: bool) -> int:
    """Give the largest tunnel MTU with which no datagram exceeds the path's; arguments as `obfuscation_warnings`.

    Raises:
        ValueError: `settings` has errors.
    """

def message_type(
    settings: _Settings, datagram: bytes
) -> Literal["initiation", "response", "cookie-reply", "transport"] | None:
    """Tell what a datagram of a tunnel with `settings` is; ``None`` for junk, a signature packet or a stranger's.

    Raises:
        ValueError: `settings` has errors.
    """

# ---- The network below ----

def path_mtu(address: str, port: int) -> int:
    """Give the MTU of the path to `address` as far as the system knows it; no packet is sent.

    Raises:
        OSError: there is no route, or the system cannot say (``ENOTSUP``, anything but Linux).
        ValueError: `address` is not an IP address.
    """

# ---- Settings ----

@final
class EgressPolicy:
    """Where flows may go: rules over addresses and ports, of which the first that fits decides; else it is allowed.

    An address that stands for another one is judged as that one too: IPv4-mapped (``::ffff:0:0/96``), NAT64
    (``64:ff9b::/96``) and 6to4 (``2002::/16``).
    """

    def __new__(cls, rules: Sequence[tuple[bool, str, int, int, str]]) -> Self:
        """Compile `rules`: (allow, network such as ``"10.0.0.0/8"``, first port, last port, reason).

        The reason is what `verdict` gives where the rule forbids, such as ``"private"``.

        Raises:
            ValueError: a network or a range of ports is not one; the text names the rule by its index.
        """

    def verdict(self, address: str, port: int) -> str | None:
        """Give the reason why a destination is forbidden, or ``None`` if it is allowed.

        Raises:
            ValueError: `address` is not an IP address.
        """

@final
class PeerLimits:
    """What the flows that one peer opens may use; ``None`` = no limit of this kind."""

    def __new__(
        cls,
        *,
        flows: int | None = None,
        new_flows_per_second: float | None = None,
        bytes_per_second: int | None = None,
        quota_bytes: int | None = None,
    ) -> Self:
        """Set limits.

        A flow beyond one is refused as ``prohibited``, without a `FlowIncoming`, and counted in the snapshot.

        Args:
            flows: Flows at once, TCP and UDP together.
            new_flows_per_second: New flows over time; those of two seconds may come at once, and one always may.
            bytes_per_second: What they carry over time, each way by itself; what is due in a quarter of a second, and
                64 KiB at least, may come at once. Connections wait, those of one peer in turn; datagrams are dropped.
            quota_bytes: What they may still carry from now on, both ways together. When it is spent `QuotaSpent` comes,
                once, and the flows end.

        Raises:
            ValueError: a limit is negative, or a rate is 0.
        """

@final
class PeerSettings:
    """One peer of a tunnel."""

    def __new__(
        cls,
        public_key: str,
        preshared_key: str | None = None,
        endpoint: _Address | None = None,
        allowed_ips: Sequence[str] = (),
        persistent_keepalive: int | tuple[int, int] | None = None,
        *,
        hop: tuple[int, int, int | None, int | None] | None = None,
        last_timestamp: bytes | None = None,
        limits: PeerLimits | None = None,
        egress: EgressPolicy | None = None,
        carrier_address: _Address | None = None,
    ) -> Self:
        """Describe a peer.

        Args:
            public_key: Its key, which is also its name in events and snapshots.
            preshared_key: The key that both ends share beside their pairs.
            endpoint: Where it is; ``None`` = it will say so itself by a handshake.
            allowed_ips: Networks whose addresses are its own inside the tunnel, such as ``"10.8.0.2/32"``.
            persistent_keepalive: Seconds between keepalives, or the least and the most of them, of which each draws
                its own; ``None`` or 0 = none.
            hop: The peer's ports over which datagrams are spread, as (first, last, least seconds, most seconds): with
                every initiation, and after so many seconds of a session, another one takes the place of the endpoint's.
                Without seconds (``None``, ``None``) only initiations change it.
            last_timestamp: What the last `InitiationAccepted` of this peer said: initiations that are not newer are
                replays, and are not answered.
            limits: What the flows that it opens may use.
            egress: Where its datagrams may go; ``None`` = where `EngineSettings` says.
            carrier_address: Where it takes carried connections, inside the tunnel: an address and port of its own.
                ``None`` = it is not known to.

        Raises:
            ValueError: an argument is malformed; keys are not repeated in the text.
        """

    @property
    def public_key(self) -> str:
        """The peer's key."""

    @property
    def endpoint(self) -> _Address | None:
        """Where it is, if that is configured."""

@final
class Limits:
    """The bounds of an engine; what exceeds one is refused or dropped, and counted. ``None`` keeps a default."""

    def __new__(
        cls,
        *,
        flows: int | None = None,
        flows_per_peer: int | None = None,
        half_open: int | None = None,
        buffer_bytes_per_flow: int | None = None,
    ) -> Self:
        """Set bounds.

        Args:
            flows: Flows at once, of all peers and applications together; never more than half of the descriptors
                that are free at the start.
            flows_per_peer: Flows at once that one peer opens; where there are several peers, never more than half of
                all flows.
            half_open: TCP flows of peers that wait for their outer side.
            buffer_bytes_per_flow: What a TCP flow buffers at most in each direction.

        Raises:
            ValueError: a bound is 0.
        """

@final
class EngineSettings:
    """What an engine is built from. Its ``repr`` shows no key."""

    def __new__(
        cls,
        private_key: str,
        *,
        addresses: Sequence[str],
        peers: Sequence[PeerSettings] = (),
        obfuscation: _Settings = (),
        mtu: int = 1420,
        listen_address: str | None = None,
        listen_ports: Sequence[int] = (),
        further_obfuscation: Sequence[tuple[_Settings, Sequence[int]]] = (),
        accept_flows: bool | Literal["to-self"] = False,
        stay_connected: bool | None = None,
        recovery: Literal["fast", "reference"] = "fast",
        server_addresses: Sequence[str] = (),
        egress: EgressPolicy | None = None,
        udp: Literal["auto", "batched", "portable"] = "auto",
        fwmark: int | None = None,
        limits: Limits | None = None,
        workers: int | None = 1,
        carrier: Literal["ip", "auto", "quic"] = "ip",
        carrier_port: int | None = None,
    ) -> Self:
        """Describe an engine.

        Args:
            private_key: This end's key.
            addresses: This end's addresses inside the tunnel, without prefix length.
            peers: The peers at the start; `Engine.set_peers` changes them.
            obfuscation: The parameters; none = plain WireGuard.
            mtu: The largest packet inside the tunnel.
            listen_address: Where the UDP sockets are bound; ``None`` = all addresses, IPv4 and IPv6.
            listen_ports: Their ports; 0 = any free one, none at all = one of those. A datagram is answered from the
                port that it came to. Up to 1,024, those of `further_obfuscation` included.
            further_obfuscation: Further parameters for the same peers, as (parameters, ports of their own): a peer is
                spoken to by those of the port at which it was last heard, so that peers can change one by one.
            accept_flows: Whether to take flows of peers to any destination, as a server does; ``to-self`` = connections
                (TCP) to `addresses` alone: each is a `FlowIncoming` with `to_self`.
            stay_connected: Whether to keep a session with each peer whose endpoint is known, as a client does;
                ``None`` = unless flows to any destination are accepted.
            recovery: How soon a peer that has fallen silent is asked for a new session, where one is kept: ``fast`` by
                what flows tell, ``reference`` after 15 s.
            server_addresses: Tunnel addresses of a server that answers pings there, as awgproxy's does: with ``fast``
                it is pinged before its silence is held against it. Empty = nothing is known of the server.
            egress: Where datagrams of accepted UDP flows and of associations may go; ``None`` = anywhere.
                Destinations of connections are judged by whoever attaches.
            udp: How datagrams are moved: ``batched`` is for Linux, ``portable`` for every system.
            fwmark: The firewall mark of the tunnel's datagrams; Linux with ``CAP_NET_ADMIN``, or ``CAP_NET_RAW`` since
                Linux 5.17.
            limits: Bounds that differ from the defaults.
            workers: Threads that share the peers, 1 to 64; ``None`` = as many as the machine runs at once, and as there
                are peers at the start. A peer lives on one of them. Above 1 for Linux alone.
            carrier: Whether to keep a carrier to each peer with a `carrier_address`: not with ``ip``. With ``auto``
                what `Engine.open` and `Engine.open_association` open rides on it while it is up, and on packets
                otherwise; with ``quic`` connections to targets wait for it.
            carrier_port: The UDP port at which carried connections of peers are taken, at each of `addresses`;
                ``None`` = nowhere. Flows of peers to any destination must be accepted.

        Raises:
            ValueError: an argument is malformed; the text begins with its name, and of the obfuscation parameters
                names each that is wrong.
        """

@final
class Replies:
    """What the engine writes to an application, once, for each outcome of its connection: its protocol's own words."""

    def __new__(
        cls,
        succeeded: bytes,
        refused: bytes,
        network_unreachable: bytes,
        host_unreachable: bytes,
        prohibited: bytes,
        timed_out: bytes,
        failed: bytes,
    ) -> Self:
        """Give the bytes for each outcome; empty = nothing is written."""

# ---- The engine ----

class _PeerSnapshot(TypedDict):
    endpoint: _Address | None
    local_port: int | None  # of ours, at which it was last heard; None while it is not known where it is
    obfuscation: int  # by which it is spoken to: 0 = `obfuscation`, 1 = the first of `further_obfuscation`
    last_handshake: float | None  # seconds ago
    received_bytes: int
    sent_bytes: int
    flows: int  # of its opening that have not ended
    relayed_bytes: int  # that its flows have carried since it is known, both ways: what a quota counts
    turned_away: dict[str, int]  # by its limits: flows by flows, new-flows and quota; datagrams by bandwidth and quota

class _Snapshot(TypedDict):
    counters: dict[str, int]  # since the start; transport_*, tunnel_*, stack_*, carrier_*, relay_* say whose they are
    peers: dict[str, _PeerSnapshot]  # by public key
    flows: int  # that have not ended
    local_address: _Address | None  # of the first UDP socket, once started

@final
class Engine:
    """One tunnel with its network stack, on a thread of its own that never takes the interpreter's lock.

    Its life: built, `start`, `stop`; never started twice. Collected without a `stop`, it stops then. Methods enqueue a
    command and return; only `start`, `snapshot` and `stop` wait, for milliseconds and with the lock released.

    Ownership of descriptors: one that is handed over is the engine's once the call has returned, and it closes it. If
    the call raised, it is still the caller's. One that is given back belongs to the caller.
    """

    def __new__(cls, settings: EngineSettings) -> Self:
        """Check `settings` together; nothing is bound or sent yet.

        Raises:
            ValueError: they do not fit together.
            OSError: no descriptor is left.
        """

    def start(self) -> None:
        """Raise the limit of open files, bind the UDP sockets and run.

        After an ``OSError`` it may be tried again, unless there was no thread to be had (``EAGAIN``), which leaves the
        engine stopped.

        Raises:
            OSError: ``EADDRINUSE``: another server has a port, which the text names; ``EACCES``: one is not allowed
                to this user; ``EADDRNOTAVAIL``: no interface has the address; others as the system says.
            RuntimeError: it was started before.
        """

    def event_fd(self) -> int:
        """Give the descriptor that is readable while events wait, for ``add_reader``. It stays the engine's."""

    def take_events(self) -> list[_Event]:
        """Take the events that wait, oldest first; ``[]`` if there are none. Never waits."""

    def local_port(self) -> int:
        """Give the port that the first UDP socket is bound to.

        Raises:
            RuntimeError: the engine has not started.
        """

    def local_ports(self) -> list[int]:
        """Give the ports of all UDP sockets: those of `obfuscation`, then those of each further one, in order.

        Raises:
            RuntimeError: the engine has not started.
        """

    def open(self, destinations: Sequence[_Target], fd: int, early: bytes, replies: Replies) -> int:
        """Connect an application to the first destination that accepts, over the tunnel; gives the flow.

        Attempts begin in the order given, 250 ms apart or as soon as one failed (RFC 8305). Then the application gets
        its reply, once, and bytes go both ways, each way half-closed by itself. If the application hangs up while it
        waits, the attempts end. One that has only ended its own side still gets its answer; of a TCP socket that
        cannot be told from a close without a reset, which is noticed when the reply is written.

        Where there is a carrier an attempt is a stream of it, to the peer that the address is behind, or of a name,
        which the peer looks up, to any peer with one. Of a single destination `early` travels with the request. While
        it is not up an attempt waits, for as long as connections may; but with the carrier ``auto``, or none, an
        address is connected to by packets, and of a single name `AddressesWanted` asks for the addresses.

        Args:
            destinations: Addresses, or names of 1 to 253 visible ASCII characters; at least one.
            fd: The application's connected stream socket; see the class for its ownership.
            early: Bytes that were read from it beyond its request.
            replies: What to answer.

        Raises:
            ValueError: there is no destination, or one is neither an address nor a name.
            OSError: ``EBADF``: `fd` is not open; ``ENOBUFS``: a bound is reached.
            RuntimeError: the engine does not run or drains.
        """

    def open_stream(self, destinations: Sequence[_Target]) -> tuple[int, int]:
        """As `open`, for a Python caller; gives the flow and a stream socket's descriptor, which is the caller's.

        Nothing but the connection's own bytes is ever read from it; if the connection fails it ends.

        Raises:
            ValueError, OSError, RuntimeError: as `open`.
        """

    def open_datagrams(self, destination: _Address) -> tuple[int, int]:
        """Exchange datagrams with one destination; gives the flow and a socket's descriptor, a message a datagram.

        The descriptor is the caller's. On Linux (``SOCK_SEQPACKET``) closing it, or shutting it down for writing, ends
        the flow, and ``b""`` is read from it once the flow has ended. Elsewhere (``SOCK_DGRAM``) neither is noticed:
        end the flow with `close_flow`.

        Raises:
            ValueError, OSError, RuntimeError: as `open`.
        """

    def open_association(self, control_fd: int, datagram_fd: int, client: str, port: int) -> int:
        """Begin a SOCKS5 UDP association (RFC 1928, section 7) whose request was granted already; gives the flow.

        The engine reads and writes the header. Fragments are dropped; destinations are judged by `egress` of the
        settings; what comes back is delivered if it comes from an address that the application has sent to. It ends
        with the application's connection (outcome ``orderly``), whatever is said on that, or after five minutes
        without a datagram either way (``expired``). One too many is refused: `FlowRefused`, ``failed``.

        Args:
            control_fd: The application's connection; see the class for the ownership of both.
            datagram_fd: The UDP socket that the application was told of.
            client: The address that the application's datagrams come from.
            port: Their port; 0 = that of the first one.

        Raises:
            ValueError: `client` is not an address.
            OSError: ``EBADF``: a descriptor is not open; ``ENOBUFS``: a bound is reached.
            RuntimeError: the engine does not run or drains.
        """

    def name_found(self, flow: int, name: str, addresses: Sequence[str]) -> None:
        """Answer a `NameWanted`: the first address that the tunnel reaches is taken; ``[]`` = the name was not found.

        It stands for the name until no datagram was sent to that for two minutes. Nothing happens where nothing waits.
        Or answer an `AddressesWanted`: the connection is to these then, as if they had been asked for, in the time that
        is left of it.

        Raises:
            ValueError: one of `addresses` is not an address.
            OSError, RuntimeError: as `attach`.
        """

    def attach(self, flow: int, fd: int) -> None:
        """Give a flow of a `FlowIncoming` its outer side. Nothing happens where the flow has ended meanwhile.

        Args:
            flow: Which one.
            fd: For TCP, a stream socket that is connected, or whose non-blocking connect is under way: the engine
                waits for it (10 s at most), and only then accepts the flow, or refuses it truthfully. For UDP, a
                datagram socket of the family of the flow's destination, not connected; the egress policy is checked for
                each datagram. For a flow to this end itself, a socket that is connected to whoever answers.

        Raises:
            OSError: ``EBADF``: `fd` is not open; ``ENOBUFS``: too many commands wait.
            RuntimeError: the engine does not run.
        """

    def reject(self, flow: int, reason: _Rejection) -> None:
        """Refuse a flow of a `FlowIncoming` or an `AddressesWanted`. Nothing happens where it has ended meanwhile.

        Raises:
            ValueError: `reason` is not one.
            OSError, RuntimeError: as `attach`.
        """

    def close_flow(self, flow: int) -> None:
        """End a flow at once: a connection is reset on both sides. Nothing happens where it has ended.

        Raises:
            OSError, RuntimeError: as `attach`.
        """

    def set_peers(self, peers: Sequence[PeerSettings]) -> None:
        """Make `peers` the peers: adds, changes and removes what differs. Flows of a removed peer end at once.

        Limits and egress change without ending flows; each quota begins anew with what is given, and where that is 0
        the flows end.

        Raises:
            OSError, RuntimeError: as `attach`.
        """

    def handshake(self) -> None:
        """Begin a handshake at once with every peer whose endpoint is known, also where there is a session.

        For whoever learns that the network changed. Two initiations to one peer stay as far apart as the protocol
        wants; until then a keepalive by the session shows the peer where this end is now.

        Raises:
            OSError, RuntimeError: as `attach`.
        """

    def snapshot(self) -> _Snapshot:
        """Count what was done, and show how the peers stand; after `stop`, as it was at the end.

        Raises:
            OSError: ``ENOBUFS``: too many commands wait; ``ETIMEDOUT``: the engine does not answer.
        """

    def drain(self) -> None:
        """Take no new flows from now on; those that stand go on."""

    def stop(self) -> None:
        """End: flows are reset, descriptors closed, the thread is gone. Their last events can be taken afterwards.

        Always ends, and may be called again, and from any thread.
        """

# ---- Events ----
# Each flow ends with exactly one FlowClosed, its last event; none of a flow's events is ever dropped.

@final
class FlowIncoming:
    """A peer begins a flow; answer with `Engine.attach` or `Engine.reject`. Of a UDP source it comes once."""

    def __new__(
        cls,
        flow: int,
        kind: Literal["tcp", "udp"],
        peer: str,
        source: _Address,
        destination: _Target,
        to_self: bool,
        is_name: bool = False,
    ) -> Self: ...
    @property
    def flow(self) -> int:
        """The flow's number, never used again by this engine."""
    @property
    def kind(self) -> Literal["tcp", "udp"]:
        """The protocol."""
    @property
    def peer(self) -> str:
        """Who sends it: a public key."""
    @property
    def source(self) -> _Address:
        """Its address inside the tunnel."""
    @property
    def destination(self) -> _Target:
        """Where it wants to go; of a UDP source, where its first datagram does."""
    @property
    def to_self(self) -> bool:
        """Whether that is an address of this end inside the tunnel."""
    @property
    def is_name(self) -> bool:
        """Whether the destination is a name to look up here: 1 to 253 visible ASCII characters, not checked further."""

@final
class FlowConnected:
    """A connection stands: the destination accepted, or the outer side of an incoming one did."""

    def __new__(cls, flow: int, destination: _Target) -> Self: ...
    @property
    def flow(self) -> int:
        """Which flow."""
    @property
    def destination(self) -> _Target:
        """Which of its destinations, as it was asked for."""

@final
class FlowRefused:
    """A connection did not come to stand; a `FlowClosed` with the outcome ``refused`` follows."""

    def __new__(cls, flow: int, reason: _Rejection) -> Self: ...
    @property
    def flow(self) -> int:
        """Which flow."""
    @property
    def reason(self) -> _Rejection:
        """The most telling reason, where several destinations were tried."""

@final
class NameWanted:
    """An association's datagrams wait for a name's addresses, ten seconds at most; answer with `Engine.name_found`."""

    def __new__(cls, flow: int, name: str) -> Self: ...
    @property
    def flow(self) -> int:
        """Which association."""
    @property
    def name(self) -> str:
        """The name as the application gave it: visible ASCII characters, 255 at most."""

@final
class AddressesWanted:
    """A connection's name cannot be left to the peer: `Engine.open` says when.

    Answer with `Engine.name_found`, or `Engine.reject` where there is no address. What is left of the connection's
    time, 10 s from `Engine.open` on (15 s where a carrier had taken it), is for the look-up and the addresses together.
    """

    def __new__(cls, flow: int, destination: _Target) -> Self: ...
    @property
    def flow(self) -> int:
        """Which connection."""
    @property
    def destination(self) -> _Target:
        """The name and the port, as they were asked for."""

@final
class FlowClosed:
    """A flow ended; its last event."""

    def __new__(cls, flow: int, outcome: _Outcome, sent: int, received: int, reason: str) -> Self: ...
    @property
    def flow(self) -> int:
        """Which flow."""
    @property
    def outcome(self) -> _Outcome:
        """How."""
    @property
    def sent(self) -> int:
        """Bytes from whoever opened the flow towards its destination."""
    @property
    def received(self) -> int:
        """Bytes back."""
    @property
    def reason(self) -> str:
        """What happened, for people."""

@final
class HandshakeCompleted:
    """A session with a peer stands."""

    def __new__(cls, peer: str, session: str, role: Literal["initiator", "responder"], rekey: bool) -> Self: ...
    @property
    def peer(self) -> str:
        """Whose: a public key."""
    @property
    def session(self) -> str:
        """A random name for the session, to find it in logs."""
    @property
    def role(self) -> Literal["initiator", "responder"]:
        """Which end this one was."""
    @property
    def rekey(self) -> bool:
        """Whether it replaces a session that still stood."""

@final
class HandshakeFailed:
    """A handshake failed, or a datagram tells why one will. The same cause is told once a minute at most.

    No answer is told after the third initiation, and at the end of a run of them; with ``recovery="fast"`` and an open
    flow a run has no end.
    """

    def __new__(cls, peer: str | None, cause: str, hint: str) -> Self: ...
    @property
    def peer(self) -> str | None:
        """With whom, if that is known: a public key."""
    @property
    def cause(self) -> str:
        """A word for the cause."""
    @property
    def hint(self) -> str:
        """What people may want to look at."""

@final
class HandshakeUnanswered:
    """An initiation was not answered in time; another one follows. Told of each of them."""

    def __new__(cls, peer: str, tries: int) -> Self: ...
    @property
    def peer(self) -> str:
        """With whom: a public key."""
    @property
    def tries(self) -> int:
        """How many were not answered, in a row."""

@final
class InitiationAccepted:
    """A peer's handshake initiation was accepted. Its timestamp, kept and given to `PeerSettings`, tells replays."""

    def __new__(cls, peer: str, timestamp: bytes) -> Self: ...
    @property
    def peer(self) -> str:
        """Whose: a public key."""
    @property
    def timestamp(self) -> bytes:
        """When the peer says that it made it: TAI64N, 12 bytes. Those of one peer rise, as bytes too."""

@final
class SessionEnded:
    """A peer has no session any more."""

    def __new__(cls, peer: str) -> Self: ...
    @property
    def peer(self) -> str:
        """Whose: a public key."""

@final
class PeerRoamed:
    """A peer sends from another address than before. Told once a minute at most of each peer."""

    def __new__(cls, peer: str, endpoint: _Address) -> Self: ...
    @property
    def peer(self) -> str:
        """Which one: a public key."""
    @property
    def endpoint(self) -> _Address:
        """Where it is now."""

@final
class CarrierUp:
    """The carrier to a peer stands: `Engine.open` need not wait."""

    def __new__(cls, peer: str) -> Self: ...
    @property
    def peer(self) -> str:
        """Which one: a public key."""

@final
class CarrierDown:
    """The carrier to a peer is gone, or could not come to stand; it is tried again by itself."""

    def __new__(cls, peer: str, reason: str) -> Self: ...
    @property
    def peer(self) -> str:
        """Which one: a public key."""
    @property
    def reason(self) -> str:
        """What happened, for people."""

@final
class QuotaSpent:
    """A peer has spent its quota: its flows end, and new ones are refused until `Engine.set_peers` gives it more."""

    def __new__(cls, peer: str) -> Self: ...
    @property
    def peer(self) -> str:
        """Which one: a public key."""

@final
class LogRecord:
    """Something for the log."""

    def __new__(
        cls, level: Literal["debug", "info", "warning", "error"], message: str, fields: dict[str, str]
    ) -> Self: ...
    @property
    def level(self) -> Literal["debug", "info", "warning", "error"]:
        """How much it matters."""
    @property
    def message(self) -> str:
        """What happened."""
    @property
    def fields(self) -> dict[str, str]:
        """Details by name; a new dictionary each time."""

@final
class EngineFailed:
    """The engine met a defect of its own and its thread is gone: all flows have ended, and `stop` still works."""

    def __new__(cls, message: str) -> Self: ...
    @property
    def message(self) -> str:
        """What the thread said last."""

_Event: TypeAlias = (
    FlowIncoming
    | FlowConnected
    | FlowRefused
    | FlowClosed
    | NameWanted
    | AddressesWanted
    | HandshakeCompleted
    | HandshakeFailed
    | HandshakeUnanswered
    | InitiationAccepted
    | SessionEnded
    | PeerRoamed
    | CarrierUp
    | CarrierDown
    | QuotaSpent
    | LogRecord
    | EngineFailed
)
