"""``[UDPProxyTunnel]``: a local port whose datagrams go to one target through the tunnel, a flow for each local source.

Python carries these datagrams one by one, which is the exception to the rule that none crosses into it: a forward of
one's own is for DNS and the like, not for throughput. What exceeds a bound or finds no room is dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from awgproxy.config.values import Endpoint
from awgproxy.errors import AwgProxyError, ListenError
from awgproxy.session.forwards.streams import destination_of

if TYPE_CHECKING:
    from awgproxy.config.model import UDPProxyTunnel
    from awgproxy.session.outbound import Flow, Outbound

MAX_SOURCES = 1024
"""Local sources at once; one more takes the place of the one that was silent for longest."""
MAX_WAITING = 16
"""Datagrams of one source that wait until its flow is open."""
_AT_ONCE = 64
_LARGEST = 65_535

log = structlog.get_logger()

_Address = tuple[str, int] | tuple[str, int, int, int]


class DatagramForward:
    """One of them."""

    def __init__(self, section: UDPProxyTunnel, outbound: Outbound) -> None:
        """Nothing is bound yet."""
        self._bind = section.bind_address
        self._target = section.target
        self._idle = float(section.inactivity_timeout)
        self._outbound = outbound
        self._socket: socket.socket | None = None
        self._sources: OrderedDict[_Address, _Source] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0

    def start(self) -> None:
        """Bind.

        Raises:
            ListenError: the address is not there, in use or not permitted.
        """
        local = socket.socket(socket.AF_INET6 if ":" in self._bind.host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            local.setblocking(False)
            local.bind((self._bind.host, self._bind.port))
        except OSError as error:
            local.close()
            raise ListenError.of(error, "UDP", self._bind.host, self._bind.port) from error
        self._socket = local
        asyncio.get_running_loop().add_reader(local.fileno(), self._read)

    def stop(self) -> None:
        """Close the port and every flow."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        for source in tuple(self._sources.values()):
            self._end(source)

    def log_ready(self) -> None:
        """Say where it is bound."""
        assert self._socket is not None  # noqa: S101 - it has started
        address = Endpoint(*self._socket.getsockname()[:2])
        log.info("UDP forward is ready", address=str(address), target=str(self._target))

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None:
                return
            try:
                data, address = self._socket.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an answer of before found nobody
            self._forward(data, address)

    def _forward(self, data: bytes, address: _Address) -> None:
        source = self._sources.get(address)
        if source is None:
            if len(self._sources) >= MAX_SOURCES:
                self._end(next(iter(self._sources.values())))
            source = self._sources[address] = _Source(address)
            source.opening = asyncio.get_running_loop().create_task(self._open(source))
        self._heard(source)
        if source.flow is None:
            if len(source.waiting) < MAX_WAITING:
                source.waiting.append(data)
            else:
                self.dropped += 1
        else:
            self._send(source.flow, data)

    def _send(self, flow: Flow, data: bytes) -> None:
        try:
            flow.socket.send(data)
        except OSError:  # there is no room, or the flow has just ended
            self.dropped += 1

    async def _open(self, source: _Source) -> None:
        try:
            flow = await self._outbound.open_datagrams(destination_of(self._target))
        except AwgProxyError as error:
            log.debug("datagrams cannot be forwarded", target=str(self._target), reason=str(error))
            self._end(source)
            return
        except Exception:
            log.exception("datagrams cannot be forwarded")
            self._end(source)
            return
        source.flow = flow
        flow.when_over(lambda: self._end(source))
        if source.flow is None:
            return
        asyncio.get_running_loop().add_reader(flow.socket.fileno(), self._answer, source, flow)
        for data in source.waiting:
            self._send(flow, data)
        source.waiting.clear()

    def _answer(self, source: _Source, flow: Flow) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None or source.flow is None:
                return
            try:
                data = flow.socket.recv(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            if not data and flow.is_hung_up:
                self._end(source)
                return
            self._heard(source)
            try:
                self._socket.sendto(data, source.address)
            except OSError:
                self.dropped += 1

    def _heard(self, source: _Source) -> None:
        """The sources stand in the order in which they were heard of, so that one timer does for all."""
        loop = asyncio.get_running_loop()
        source.heard = loop.time()
        self._sources.move_to_end(source.address)
        if self._idle and self._timer is None:
            self._timer = loop.call_later(self._idle, self._expire)

    def _expire(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for source in tuple(self._sources.values()):
            due = source.heard + self._idle
            if due > loop.time():
                self._timer = loop.call_at(due, self._expire)
                return
            self._end(source)

    def _end(self, source: _Source) -> None:
        """Forget a source, and its flow."""
        if self._sources.get(source.address) is source:
            del self._sources[source.address]
        if not self._sources and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        flow, source.flow = source.flow, None
        self.dropped += len(source.waiting)
        source.waiting.clear()
        if flow is not None:
            asyncio.get_running_loop().remove_reader(flow.socket.fileno())
            with contextlib.suppress(OSError):
                flow.socket.close()
            self._outbound.give_up(flow)
        elif source.opening is not None and source.opening is not asyncio.current_task():
            source.opening.cancel()


class _Source:
    """Somebody local who sends."""

    __slots__ = ("address", "flow", "heard", "opening", "waiting")

    def __init__(self, address: _Address) -> None:
        self.address = address
        self.flow: Flow | None = None
        self.heard = 0.0
        self.opening: asyncio.Task[None] | None = None
        self.waiting: list[bytes] = []
