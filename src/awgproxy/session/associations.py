"""The UDP associations of a client's applications: opened at the engine, which carries their datagrams.

What the engine asks for meanwhile is names, which are looked up through the tunnel like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import FlowClosed, NameWanted
from awgproxy.errors import NameLookupFailed
from awgproxy.session.journal import log_closed

if TYPE_CHECKING:
    from awgproxy.egress.resolver import Resolver
    from awgproxy.proxy.association import Association
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections

log = structlog.get_logger()


class Associations:
    """Opens the associations of a client, and answers for names in their datagrams.

    Bound: the engine has one for the names that wait in an association, the resolver one for all that are looked up.
    """

    def __init__(self, engine: SessionEngine, resolver: Resolver, connections: OpenConnections) -> None:
        """`connections` hears of each from its request to its end."""
        self._engine = engine
        self._resolver = resolver
        self._connections = connections
        self._flows: set[int] = set()
        self._looking_up: set[asyncio.Task[None]] = set()
        self.handlers: Handlers = {NameWanted: self._wanted, FlowClosed: self._closed}

    def open(self, association: Association) -> None:
        """Take an association over, from its answer to its end."""
        control, datagrams = association.control, association.datagrams
        try:
            flow = self._engine.open_association(
                control.fileno(), datagrams.fileno(), association.client, association.port
            )
        except (OSError, RuntimeError) as error:
            log.debug("association failed", reason=getattr(error, "strerror", None) or str(error))
            control.close()
            datagrams.close()
            return
        control.detach()
        datagrams.detach()
        self._flows.add(flow)
        self._connections.opened()
        log.debug("association open", flow=flow)

    def close(self) -> None:
        """Give up the look-ups that are under way."""
        for task in tuple(self._looking_up):
            task.cancel()

    def _wanted(self, event: NameWanted) -> None:
        task = asyncio.get_running_loop().create_task(self._look_up(event.flow, event.name))
        self._looking_up.add(task)
        task.add_done_callback(self._looking_up.discard)

    async def _look_up(self, flow: int, name: str) -> None:
        addresses: list[str] = []
        try:
            # The first that can be had is taken for good, and that IPv6 leads nowhere would be told by no answer.
            addresses = sorted(await self._resolver.resolve(name), key=lambda address: ":" in address)
        except NameLookupFailed as error:
            log.debug("a name of an association was not found", flow=flow, reason=str(error))
        except Exception:
            log.exception("a name could not be looked up")
        with contextlib.suppress(OSError, RuntimeError):  # of an engine that is too busy, or has ended
            self._engine.name_found(flow, name, addresses)

    def _closed(self, event: FlowClosed) -> None:
        if event.flow in self._flows:
            self._flows.remove(event.flow)
            self._connections.closed()
            log_closed(event)
