"""Flows of the program's own: connections and datagrams that Python code opens through the tunnel.

What becomes of each is told by exceptions of ours. A flow that fails after it stood is told from one that ended: the
socket shows the same end for both, so `Flow.when_over` has the last word.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import sys
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import EngineFailed, FlowClosed, FlowConnected, FlowRefused
from awgproxy.errors import (
    ConnectionFailed,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    NameLookupFailed,
    NameNotFound,
    Prohibited,
    TunnelClosed,
    TunnelDown,
    Unreachable,
)
from awgproxy.session.journal import log_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from awgproxy.proxy.destination import Destination
    from awgproxy.session.connector import Connector
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections
    from awgproxy.session.state import TunnelState

log = structlog.get_logger()

_REFUSALS: dict[str, tuple[type[ConnectionFailed], str]] = {
    "refused": (ConnectionRefused, "the target refused the connection"),
    "network-unreachable": (Unreachable, "there is no way to its network"),
    "host-unreachable": (Unreachable, "the host cannot be reached"),
    "prohibited": (Prohibited, "the server's policy forbids it"),
    "timed-out": (ConnectionTimedOut, "nothing answered in time"),
    "failed": (ConnectionFailed, "the connection could not be made: a bound is reached, or the tunnel ends"),
}
_IN_ORDER = ("orderly", "hung-up", "closed")
"""Outcomes that are no failure: both sides were done, or this program ended it."""


class Flow:
    """One flow. Its socket does not block and belongs to whoever opened the flow."""

    def __init__(self, number: int, descriptor: int, destination: Destination) -> None:
        self.number = number
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setblocking(False)
        self.destination = destination
        self.address: tuple[str, int] | None = None
        """Which of the destination's addresses answered; its name, where the server looked that up."""
        self.standing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the connection stands, with an exception where it does not come to."""
        self.is_over = False
        self.failure: ConnectionFailed | None = None
        self._when_over: list[Callable[[], None]] = []

    def when_over(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when the flow is over, at once where it is; `failure` then says how."""
        if self.is_over:
            tell()
        else:
            self._when_over.append(tell)

    def over(self, failure: ConnectionFailed | None) -> None:
        """The flow has ended; the first to say so is believed."""
        if self.is_over:
            return
        self.is_over = True
        self.failure = failure
        if not self.standing.done():
            self.standing.set_exception(failure or ConnectionFailed(_text(self.destination, "it ended")))
            self.standing.exception()  # somebody may wait for it no more
        for tell in self._when_over:
            tell()
        self._when_over.clear()

    @property
    def is_hung_up(self) -> bool:
        """Whether the engine has closed its end, or both directions have ended: `when_over` is about to tell which.

        Known on Linux alone; elsewhere False.
        """
        if sys.platform != "linux":
            return False
        poll = select.poll()
        poll.register(self.socket, 0)
        return any(events & select.POLLHUP for _, events in poll.poll(0))


class Outbound:
    """Opens flows for callers in this program, and tells them what became of each."""

    def __init__(
        self, engine: SessionEngine, connector: Connector, state: TunnelState, connections: OpenConnections
    ) -> None:
        """`connector` finds addresses; `connections` hears of each connection from its opening to its end."""
        self._engine = engine
        self._connector = connector
        self._state = state
        self._connections = connections
        self._flows: dict[int, Flow] = {}
        self._over: Exception | None = None
        self.handlers: Handlers = {
            FlowConnected: self._connected,
            FlowRefused: self._refused,
            FlowClosed: self._closed,
            EngineFailed: self._engine_failed,
        }

    async def open_stream(self, destination: Destination) -> Flow:
        """Connect to the first of the destination's addresses that answers (RFC 8305), looked up here or at the server.

        Raises:
            NameLookupFailed, PolicyDenied: no address was found, or this end's own rules forbid them.
            ConnectionFailed: the connection does not come to stand; the type says why.
        """
        left_to_the_server = self._connector.is_left_to_the_server(destination)
        if left_to_the_server:
            self._require_open()
        hosts = [destination.host] if left_to_the_server else await self.addresses_of(destination)
        destinations = self._connector.allowed(hosts, destination.port)
        with self._opening(destination):
            flow = self._opened(*self._engine.open_stream(destinations), destination)
        self._connector.began(flow.number, destinations)
        self._connections.opened()
        flow.when_over(self._connections.closed)
        try:
            await flow.standing
        except BaseException as error:
            self.give_up(flow)
            flow.socket.close()
            if left_to_the_server and type(error) in (Unreachable, ConnectionFailed):
                await self.addresses_of(destination)  # says so where the name was at fault, which no refusal tells
            raise
        return flow

    async def open_datagrams(self, destination: Destination) -> Flow:
        """Exchange datagrams with the destination's first address, an IPv4 one where it has any.

        That the other kind leads nowhere would be told by no answer.

        Raises:
            NameLookupFailed, PolicyDenied, ConnectionFailed: as `open_stream`.
        """
        destinations = self._connector.allowed(await self.addresses_of(destination), destination.port)
        address = min(destinations, key=lambda each: ":" in each[0])
        with self._opening(destination):
            flow = self._opened(*self._engine.open_datagrams(address), destination)
        flow.address = address
        flow.standing.set_result(None)
        return flow

    def give_up(self, flow: Flow) -> None:
        """End a flow at once: a connection is reset at the far end."""
        with contextlib.suppress(OSError, RuntimeError):  # an engine that takes no commands ends, and the flow with it
            self._engine.close_flow(flow.number)

    def end(self, but: AbstractSet[Flow] = frozenset()) -> None:
        """Open no more flows, and end all but these."""
        self._over = self._over or TunnelClosed("the tunnel was closed")
        for flow in tuple(self._flows.values()):
            if flow not in but:
                self.give_up(flow)
                flow.over(TunnelClosed(_text(flow.destination, str(self._over))))

    async def addresses_of(self, destination: Destination) -> list[str]:
        """Every address of a destination, in the order to try them.

        Raises:
            NameLookupFailed: they could not be looked up.
            TunnelDown, TunnelClosed: nobody could be asked.
        """
        self._require_open()
        try:
            found = await self._connector.addresses_of(destination)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._over is None or task is None or task.cancelling():
                raise
            # The look-up was given up because the tunnel closes; whoever asked was not cancelled.
            raise TunnelClosed(_text(destination, str(self._over))) from None
        except NameNotFound:
            raise
        except NameLookupFailed as error:
            if self._connector.can_look_up and not self._state.is_up:
                raise self._down(destination) from error
            raise
        self._require_open()
        return found

    def _require_open(self) -> None:
        if self._over is not None:
            raise TunnelClosed(str(self._over))

    @contextlib.contextmanager
    def _opening(self, destination: Destination) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise TunnelClosed(_text(destination, str(error))) from error
        except OSError as error:
            if isinstance(error, ConnectionFailed):
                raise
            raise ConnectionFailed(_text(destination, error.strerror or str(error))) from error

    def _opened(self, number: int, descriptor: int, destination: Destination) -> Flow:
        flow = Flow(number, descriptor, destination)
        self._flows[number] = flow
        log.debug("connection requested", flow=number, host=destination.host, port=destination.port)
        return flow

    def _down(self, destination: Destination) -> TunnelDown:
        return TunnelDown(_text(destination, f"the tunnel is down: {self._state.why_down}"))

    def _connected(self, event: FlowConnected) -> None:
        flow = self._flows.get(event.flow)
        if flow is not None and not flow.standing.done():
            flow.address = event.destination
            flow.standing.set_result(None)

    def _refused(self, event: FlowRefused) -> None:
        flow = self._flows.get(event.flow)
        if flow is None:
            return
        if event.reason == "timed-out" and not self._state.is_up:
            flow.over(self._down(flow.destination))
            return
        kind, words = _REFUSALS[event.reason]
        flow.over(kind(_text(flow.destination, words)))

    def _closed(self, event: FlowClosed) -> None:
        flow = self._flows.pop(event.flow, None)
        if flow is None:
            return
        log_closed(event)
        failed = event.outcome not in _IN_ORDER
        flow.over(ConnectionLost(_text(flow.destination, event.reason)) if failed else None)

    def _engine_failed(self, event: EngineFailed) -> None:
        self._over = TunnelClosed(f"a defect of awgproxy ended the tunnel, please report it: {event.message}")
        self.end()


def _text(destination: Destination, words: str) -> str:
    return f"{destination.host} port {destination.port}: {words}"
