"""A client's port forwards: fixed ways through the tunnel, for what speaks to no proxy.

The sections and their keys are wireproxy's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from awgproxy.session.forwards.datagrams import DatagramForward
from awgproxy.session.forwards.exposed import ExposedPorts
from awgproxy.session.forwards.streams import StreamForward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config import Config
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections
    from awgproxy.session.tunnel import ClientTunnel


class _Forward(Protocol):
    def start(self) -> None:
        """Bind."""

    def stop(self) -> None:
        """Take no more."""

    def log_ready(self) -> None:
        """Say where it is."""


class Forwards:
    """All of a configuration's but that of standard input and output."""

    def __init__(self, config: Config, tunnel: ClientTunnel, connections: OpenConnections) -> None:
        """Nothing is bound yet; `connections` hears of those that come in through the tunnel."""
        self._exposed = ExposedPorts(config.tcp_server_tunnels, tunnel.engine, connections)
        self._datagrams = [DatagramForward(one, tunnel.outbound) for one in config.udp_proxy_tunnels]
        self._streams = [StreamForward(one, tunnel.connector.connect) for one in config.tcp_client_tunnels]
        self.handlers: Handlers = self._exposed.handlers

    def start(self) -> None:
        """Bind every port.

        Raises:
            ListenError: one cannot be had; what was bound before it is for `stop`.
        """
        for forward in self._local:
            forward.start()

    def log_ready(self) -> None:
        """Say where each is."""
        for forward in self._local:
            forward.log_ready()
        self._exposed.log_ready()

    def stop(self) -> None:
        """Take nothing new; connections that stand go on."""
        for forward in self._local:
            forward.stop()

    @property
    def counters(self) -> dict[str, int]:
        """What was counted at all of them together."""
        return {
            "forwarded_connections": sum(forward.accepted for forward in self._streams),
            "forwarded_datagrams_dropped": sum(forward.dropped for forward in self._datagrams),
            "exposed_connections": self._exposed.accepted,
        }

    @property
    def _local(self) -> Iterator[_Forward]:
        yield from self._streams
        yield from self._datagrams
