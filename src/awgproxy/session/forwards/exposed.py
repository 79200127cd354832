"""``[TCPServerTunnel]``: ports at this end's own tunnel addresses, whose connections go to targets beside it.

The way out of the tunnel on purpose: the operator names each target. One that is a name is looked up by the system,
since it means a host on this side. Every other port at these addresses refuses.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import FlowClosed, FlowIncoming
from awgproxy.egress.dialer import Dialer
from awgproxy.session.journal import log_closed
from awgproxy.session.system_names import system_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.model import TCPServerTunnel
    from awgproxy.config.values import Endpoint
    from awgproxy.egress.dialer import Flows
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections

MAX_LOOKUPS = 16
"""Names that the system is asked for at once; more wait, for as long as their flows do."""

log = structlog.get_logger()


class ExposedPorts:
    """Answers the flows that come to this end itself."""

    def __init__(self, sections: Sequence[TCPServerTunnel], engine: Flows, connections: OpenConnections) -> None:
        """`engine`: one that takes flows to itself; `connections` hears of each from its beginning to its end."""
        self._targets = {section.listen_port: section.target for section in sections}
        self._dialer = Dialer(engine)
        self._connections = connections
        self._flows: set[int] = set()
        self._looking_up: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(MAX_LOOKUPS)
        self.accepted = 0
        self.handlers: Handlers = {FlowIncoming: self._incoming, FlowClosed: self._closed} if self._targets else {}

    def log_ready(self) -> None:
        """Say which ports there are."""
        for port, target in self._targets.items():
            log.info("a port at the tunnel's address is ready", port=port, target=str(target))

    def _incoming(self, event: FlowIncoming) -> None:
        port = event.destination[1]
        target = self._targets.get(port) if event.to_self and event.kind == "tcp" else None
        if target is None:
            self._dialer.reject(event.flow, "refused")
            return
        self.accepted += 1
        self._flows.add(event.flow)
        self._connections.opened()
        log.debug("connection to this end", flow=event.flow, port=port, source=event.source[0])
        if target.address is not None:
            self._dialer.dial(event.flow, (target.host, target.port))
            return
        task = asyncio.get_running_loop().create_task(self._dial_by_name(event.flow, target))
        self._looking_up.add(task)
        task.add_done_callback(self._looking_up.discard)

    async def _dial_by_name(self, flow: int, target: Endpoint) -> None:
        """IPv4 first: a service of this side is more often there alone, and only one address can be tried."""
        try:
            async with self._turns:
                found = await system_addresses(target.host)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            log.warning("a target cannot be looked up", name=target.host, reason=reason)
            self._dialer.reject(flow, "host-unreachable")
            return
        self._dialer.dial(flow, (min(found, key=lambda address: ":" in address), target.port))

    def _closed(self, event: FlowClosed) -> None:
        if event.flow in self._flows:
            self._flows.remove(event.flow)
            self._connections.closed()
            log_closed(event)
