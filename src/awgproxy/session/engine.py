"""An engine from its configuration to its end; what it says about its settings is told as of the configuration.

The rest of a session sees an engine as `SessionEngine` says, so that one in memory can stand in for it.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from awgproxy._native import Engine
from awgproxy.egress.dialer import Flows
from awgproxy.egress.dns.tunnel_sockets import TunnelSockets
from awgproxy.errors import ConfigError, Problem, TunnelError
from awgproxy.session.events import EventPump
from awgproxy.session.settings import NO_TIMESTAMPS, client_settings, server_settings
from awgproxy.session.terms import NO_GRANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awgproxy._native import EgressPolicy, EngineSettings, PeerSettings, Replies
    from awgproxy.config import Config
    from awgproxy.session.events import Handlers
    from awgproxy.session.settings import Timestamps
    from awgproxy.session.terms import Grants

_KEYS = {
    "private_key": "PrivateKey",
    "addresses": "Address",
    "mtu": "MTU",
    "listen_ports": "ListenPort",
    "fwmark": "FwMark",
}
"""The engine's names of arguments, as `[Interface]` has them."""

_PEER = re.compile(r"peers\[(\d+)\]")
_FURTHER = re.compile(r"further_obfuscation\[(\d+)\](?:: )?")
_ARGUMENT = re.compile(r"(\w+)(?:\[\d+\])?: ")


class SessionEngine(Flows, TunnelSockets, Protocol):
    """What a session, its dialler and its resolver need of `Engine`, whose stub says what each does and raises."""

    def start(self) -> None:
        """Bind and run."""

    def event_fd(self) -> int:
        """The descriptor that is readable while events wait."""

    def take_events(self) -> Sequence[object]:
        """The events that wait."""

    def local_port(self) -> int:
        """The first UDP port."""

    def local_ports(self) -> list[int]:
        """All UDP ports."""

    def open(self, destinations: Sequence[tuple[str, int]], fd: int, early: bytes, replies: Replies) -> int:
        """Connect an application, over the carrier where there is one; a destination may be a name."""

    def open_association(self, control_fd: int, datagram_fd: int, client: str, port: int) -> int:
        """Carry an application's datagrams."""

    def name_found(self, flow: int, name: str, addresses: Sequence[str]) -> None:
        """Answer for a name in a datagram, or of a connection."""

    def set_peers(self, peers: Sequence[PeerSettings]) -> None:
        """Change the peers."""

    def handshake(self) -> None:
        """Begin one with every peer."""

    def snapshot(self) -> Any:
        """Counters and peers."""

    def drain(self) -> None:
        """Take no new flows."""

    def stop(self) -> None:
        """End."""


def client_engine(config: Config, *, exposes: bool = False) -> Engine:
    """The engine of a client, not started; where it `exposes` ports, it takes flows to itself.

    Raises:
        ConfigError: it refuses its settings.
        TunnelError: the system has no descriptor for it.
    """
    return _built(config, lambda: client_settings(config, exposes=exposes))


def server_engine(
    config: Config,
    egress: EgressPolicy,
    last_timestamps: Timestamps = NO_TIMESTAMPS,
    granted: Grants = NO_GRANTS,
) -> Engine:
    """The engine of a server, not started; raises as `client_engine`."""
    return _built(config, lambda: server_settings(config, egress, last_timestamps, granted))


@contextmanager
def running(engine: SessionEngine, *handlers: Handlers) -> Iterator[None]:
    """Start an engine and deliver its events to all `handlers` until the end of the block, which stops it.

    Raises:
        TunnelError: it cannot start, in its own words: a port in use, a mark that is not permitted.
    """
    try:
        engine.start()
    except OSError as error:
        raise TunnelError(error.strerror or str(error)) from error
    pump = EventPump(engine, *handlers)
    try:
        pump.start()
        yield
    finally:
        pump.stop()
        engine.stop()


def _built(config: Config, settings: Callable[[], EngineSettings]) -> Engine:
    try:
        return Engine(settings())
    except ValueError as error:
        raise ConfigError([_problem(config, str(error))]) from None
    except OSError as error:
        raise TunnelError(error.strerror or str(error)) from error


def _problem(config: Config, text: str) -> Problem:
    """What the engine says, at the line of the argument that begins its text."""
    if (peer := _PEER.match(text)) is not None:
        line = config.lines.get((f"peer {int(peer[1]) + 1}", ""))
        return Problem(config.file, line, "Peer", None, text[peer.end() :].lstrip(": "))
    further = config.further_obfuscation
    if (found := _FURTHER.match(text)) is not None and int(found[1]) < len(further):
        section = further[int(found[1])]
        return Problem(config.file, config.lines.get((section.label, "")), section.title, None, text[found.end() :])
    argument = _ARGUMENT.match(text)
    if argument is not None and argument[1] == "workers":
        line = config.lines.get(("tunnel", "workers"))
        return Problem(config.file, line, "Tunnel", "Workers", text[argument.end() :])
    key = None if argument is None else _KEYS.get(argument[1])
    if argument is not None and key is not None:
        text = text[argument.end() :]
    line = config.lines.get(("interface", key.lower() if key else ""), config.lines.get(("interface", "")))
    return Problem(config.file, line, "Interface", key, text)
