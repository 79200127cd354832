"""Sockets on the network itself where `resolver` expects the tunnel's: a server asks for names like its clients do.

There are no flows here: closing the descriptor is all.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.egress.source import SourceAddresses

NO_FLOW = 0


class DirectSockets:
    """Opens them, each from the configured source address."""

    def __init__(self, sources: SourceAddresses) -> None:
        """`sources`: where they leave from."""
        self._sources = sources

    def open_datagrams(self, destination: tuple[str, int]) -> tuple[int, int]:
        """A socket that talks to `destination` alone.

        Raises:
            OSError: there is no way to it, or no descriptor.
        """
        return NO_FLOW, self._connected(socket.SOCK_DGRAM, destination).detach()

    def open_stream(self, destinations: Sequence[tuple[str, int]]) -> tuple[int, int]:
        """A socket whose connection to the first of `destinations` is under way; raises as `open_datagrams`."""
        return NO_FLOW, self._connected(socket.SOCK_STREAM, destinations[0]).detach()

    def close_flow(self, flow: int) -> None:
        """Nothing: there is none."""

    def _connected(self, kind: socket.SocketKind, destination: tuple[str, int]) -> socket.socket:
        outer = new_socket(destination, kind, self._sources)
        try:
            with contextlib.suppress(BlockingIOError):
                outer.connect(destination)
        except BaseException:
            outer.close()
            raise
        return outer


def new_socket(destination: tuple[str, int], kind: socket.SocketKind, sources: SourceAddresses) -> socket.socket:
    """A socket that does not block and may be connected to `destination`, an address and a port.

    Raises:
        OSError: there is no descriptor, no such kind of IP, or not the source address any more.
    """
    ipv6 = ":" in destination[0]
    outer = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, kind)
    try:
        outer.setblocking(False)
        if ipv6:
            outer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            outer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sources.bind_connecting(outer, destination[0])
    except BaseException:
        outer.close()
        raise
    return outer
