"""Datagrams to one destination through the tunnel, and its answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from awgproxy.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from awgproxy.session.outbound import Flow

LARGEST_DATAGRAM = 65_507
"""Bytes: what an IPv4 packet has room for behind its header and UDP's."""


class Datagrams:
    """What `Tunnel.open_datagram` gives: an end of a UDP flow, for one task that sends and one that receives.

    Datagrams may be lost, come twice or out of order, as UDP's may. A flow that is idle for two minutes ends.
    """

    def __init__(self, flow: Flow, end: Callable[[Flow], None]) -> None:
        """`end`: gives the flow up."""
        self._flow = flow
        self._end = end
        self._closed = False
        self._sending = asyncio.Lock()
        self._receiving = asyncio.Lock()
        self._waiting: set[asyncio.Future[None]] = set()
        flow.when_over(self._let_go)

    @property
    def remote_address(self) -> tuple[str, int]:
        """The address and port that the datagrams go to."""
        assert self._flow.address is not None  # noqa: S101 - a flow of datagrams begins with one
        return self._flow.address

    async def send(self, data: bytes) -> None:
        """Send one datagram, when there is room.

        Raises:
            ValueError: it is larger than `LARGEST_DATAGRAM`.
            ConnectionLost, TunnelClosed: the flow has ended, or the tunnel.
        """
        if len(data) > LARGEST_DATAGRAM:
            raise ValueError(f"a datagram of {len(data)} bytes: at most {LARGEST_DATAGRAM} fit")
        async with self._sending:
            while True:
                self._require_open()
                try:
                    self._flow.socket.send(data)
                except (BlockingIOError, InterruptedError):
                    await self._wait(writing=True)
                except OSError as error:
                    raise self._lost() from error
                else:
                    return

    async def receive(self) -> bytes:
        """Wait for one datagram.

        Raises:
            ConnectionLost, TunnelClosed: the flow has ended, or the tunnel.
        """
        async with self._receiving:
            while True:
                self._require_open()
                try:
                    data = self._flow.socket.recv(65_535)
                except (BlockingIOError, InterruptedError):
                    await self._wait(writing=False)
                    continue
                except OSError as error:
                    raise self._lost() from error
                if data or not self._flow.is_hung_up:
                    return data
                await self._until_over()

    def close(self) -> None:
        """End the flow; whoever waits is told so. May be called again."""
        if not self._closed:
            self._let_go()
            self._end(self._flow)

    async def __aenter__(self) -> Self:
        """Give itself, to close it at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _require_open(self) -> None:
        if self._closed:
            raise self._lost()

    def _lost(self) -> Exception:
        return self._flow.failure or ConnectionLost("the flow of datagrams was closed")

    async def _until_over(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            if not self._closed:
                await waiting
        finally:
            self._waiting.discard(waiting)

    async def _wait(self, *, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        waiting = loop.create_future()
        self._waiting.add(waiting)
        add(self._flow.socket, _set, waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
            if not self._closed:
                remove(self._flow.socket)

    def _let_go(self) -> None:
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._flow.socket)
        loop.remove_writer(self._flow.socket)
        self._flow.socket.close()
        for waiting in self._waiting:
            _set(waiting)


def _set(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
