"""``[TCPClientTunnel]``: a local port, each of whose connections becomes one to the target, through the tunnel.

A local connection is accepted before its own one through the tunnel stands; where that fails, it is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from awgproxy.config.values import Endpoint
from awgproxy.proxy.accepting import Accepting
from awgproxy.proxy.answers import NO_WORDS
from awgproxy.proxy.application import Application
from awgproxy.proxy.destination import Destination

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from awgproxy.config.model import TCPClientTunnel

log = structlog.get_logger()


class StreamForward:
    """One of them."""

    def __init__(self, section: TCPClientTunnel, connect: Callable[[Application], None]) -> None:
        """`connect` takes each application over. Nothing is bound yet."""
        self._target = section.target
        self._connect = connect
        self._accepting = Accepting(section.bind_address.host, section.bind_address.port, self._take)

    @property
    def accepted(self) -> int:
        """Connections since the start."""
        return self._accepting.accepted

    def start(self) -> None:
        """Listen.

        Raises:
            ListenError: the address is not there, in use or not permitted.
        """
        self._accepting.start()

    def stop(self) -> None:
        """Take no more."""
        self._accepting.stop()

    def log_ready(self) -> None:
        """Say where it listens."""
        log.info("TCP forward is ready", address=str(Endpoint(*self._accepting.address)), target=str(self._target))

    def _take(self, application: socket.socket, _: str) -> None:
        self._connect(Application(application, destination_of(self._target), b"", NO_WORDS))


def destination_of(target: Endpoint) -> Destination:
    """A section's target as a destination."""
    return Destination(target.host, target.port, is_name=target.address is None)
