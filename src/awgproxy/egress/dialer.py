"""The server's way to targets: a socket of the right kind, its connect begun, then handed to the engine.

The engine waits for the connect, and turns its outcome into the SYN-ACK, reset or ICMP unreachable that the tunnel's
client sees; so nothing here waits, and Python runs once per connection.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Protocol

import structlog

from awgproxy.egress.direct import new_socket
from awgproxy.egress.source import SourceAddresses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awgproxy._native import _Rejection

log = structlog.get_logger()

_REJECTIONS: dict[int, _Rejection] = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "network-unreachable",
    errno.EAFNOSUPPORT: "network-unreachable",
    errno.EADDRNOTAVAIL: "network-unreachable",
    errno.EHOSTUNREACH: "host-unreachable",
    errno.EACCES: "prohibited",
    errno.EPERM: "prohibited",
    errno.ETIMEDOUT: "timed-out",
}
_MOST_TELLING_FIRST: tuple[_Rejection, ...] = (
    "refused",
    "prohibited",
    "host-unreachable",
    "network-unreachable",
    "timed-out",
    "failed",
)
"""As the engine has it where several addresses were tried."""


class Flows(Protocol):
    """What the dialer needs of the engine."""

    def attach(self, flow: int, fd: int) -> None:
        """Give a flow its outer side; the descriptor is the engine's from then on, unless it raises."""

    def reject(self, flow: int, reason: _Rejection) -> None:
        """Refuse a flow that waits for its outer side."""


class Dialer:
    """Gives flows of the tunnel's clients their outer sockets."""

    def __init__(self, flows: Flows, sources: SourceAddresses | None = None) -> None:
        """`sources`: where they leave from; as the system chooses where None."""
        self._flows = flows
        self._sources = sources or SourceAddresses()

    def dial(self, flow: int, destination: tuple[str, int]) -> None:
        """Connect a TCP flow to `destination`, an address and a port; a failure is answered truthfully."""
        self._attach_connected(flow, socket.SOCK_STREAM, destination)

    def connect_datagrams(self, flow: int, destination: tuple[str, int]) -> None:
        """Give a UDP flow a socket that talks to `destination` alone."""
        self._attach_connected(flow, socket.SOCK_DGRAM, destination)

    def open_datagrams(self, flow: int, *, ipv6: bool) -> None:
        """Give a UDP source the one socket that all its datagrams leave from (RFC 4787, section 4.1)."""
        outer: socket.socket | None = None
        try:
            outer = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
            outer.setblocking(False)
            if ipv6:
                outer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._sources.bind(outer)
            self._hand_over(flow, outer)
        except (OSError, RuntimeError) as error:
            self._give_up(flow, outer, error)

    def attach(self, flow: int, outer: socket.socket) -> None:
        """Give a TCP flow a socket that is connected, which is the engine's from now on."""
        try:
            self._hand_over(flow, outer)
        except (OSError, RuntimeError) as error:
            self._give_up(flow, outer, error)

    def reject_for(self, flow: int, errors: Iterable[OSError]) -> None:
        """Refuse a flow for the most telling of what its addresses said."""
        said = {_rejection(error) for error in errors}
        self.reject(flow, next((reason for reason in _MOST_TELLING_FIRST if reason in said), "failed"))

    def reject(self, flow: int, reason: _Rejection) -> None:
        """Refuse a flow. An engine that takes no commands, since it ends or has too many, lets it expire."""
        try:
            self._flows.reject(flow, reason)
        except (OSError, RuntimeError) as error:
            log.debug("a flow could not be refused", flow=flow, reason=str(error))

    def _attach_connected(self, flow: int, kind: socket.SocketKind, destination: tuple[str, int]) -> None:
        outer: socket.socket | None = None
        try:
            outer = new_socket(destination, kind, self._sources)
            with contextlib.suppress(BlockingIOError):
                outer.connect(destination)
            self._hand_over(flow, outer)
        except (OSError, RuntimeError) as error:
            self._give_up(flow, outer, error)

    def _hand_over(self, flow: int, outer: socket.socket) -> None:
        self._flows.attach(flow, outer.fileno())
        outer.detach()

    def _give_up(self, flow: int, outer: socket.socket | None, error: OSError | RuntimeError) -> None:
        if outer is not None:
            outer.close()
        code = error.errno if isinstance(error, OSError) else None
        if code in (errno.EMFILE, errno.ENFILE):
            log.warning("no file descriptor left for a connection", reason=str(error))
        self.reject(flow, _rejection(error))


def _rejection(error: OSError | RuntimeError) -> _Rejection:
    if isinstance(error, TimeoutError):
        return "timed-out"
    return _REJECTIONS.get(error.errno or 0, "failed") if isinstance(error, OSError) else "failed"
