"""Drives one `Exchange`: the application's socket at one side, a connection through the tunnel at the other.

The tunnel's side is a socket pair whose other end is handed on like any application's, with `OUTCOMES` for answers: its
first byte says what came of the connection, what follows is the target's. So the bytes of such exchanges, and of no
other connections, pass through Python.

Bounds: one read of `_BYTES_AT_ONCE` at each side at a time, and no further one before what it gave is written. h11
looks at a thousand chunks or `PIECE_BYTES` of it at a time, and others have their turn in between. Nothing that was
read from the application is left aside: what is behind its request is the beginning of its next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from typing import TYPE_CHECKING

import structlog

from awgproxy.proxy.answers import Answers
from awgproxy.proxy.application import Application
from awgproxy.proxy.http.exchange import State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from awgproxy.proxy.http.exchange import Exchange

LINGER_SECONDS = 2.0
"""How long bytes of a request are still taken that was answered before it was whole."""
PIECE_BYTES = 4096
_BYTES_AT_ONCE = 32768
_RESET = struct.pack("ii", 1, 0)
_NAMES = ("refused", "network_unreachable", "host_unreachable", "prohibited", "timed_out", "failed")
_SUCCEEDED = b"+"
OUTCOMES = Answers(succeeded=_SUCCEEDED, **{name: bytes((number,)) for number, name in enumerate(_NAMES)})
"""One byte for each outcome."""

log = structlog.get_logger()


class Forwarding:
    """One exchange from its request to its end."""

    def __init__(self, application: socket.socket, exchange: Exchange, connect: Callable[[Application], None]) -> None:
        """`application` is non-blocking and belongs to this; `connect` takes what is to go through the tunnel."""
        self._application = application
        self._exchange = exchange
        self._connect = connect
        self._ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def run(self) -> socket.socket | None:
        """Do it; gives the application's socket where the application may ask for something else on it.

        The bytes that it sent behind its request are in the exchange's `remainder`.
        """
        exchange = self._exchange
        try:
            await self._exchange_all()
            await self._send(self._application, exchange.poll_application())
        except OSError:  # the application's side failed
            self._application.close()
            return None
        except BaseException:
            self._reset()
            raise
        if exchange.state is State.BROKEN:
            self._reset()
            return None
        if exchange.may_go_on:
            return self._application
        await self._close_in_order()
        return None

    async def _exchange_all(self) -> None:
        """Until the response is whole, has failed, or nobody waits for it any more."""
        exchange = self._exchange
        if exchange.state is not State.REQUESTING:
            return
        try:
            near, far = socket.socketpair()
        except OSError as error:
            log.warning("an HTTP request cannot be forwarded for now", reason=errno.errorcode.get(error.errno or 0))
            exchange.fail("failed")
            return
        near.setblocking(False)
        far.setblocking(False)
        with far:
            self._connect(Application(near, exchange.destination, b"", OUTCOMES, self._has_ended))
            if not await self._first_of(self._outcome(far), self._hung_up()):
                return
            await self._first_of(self._respond(far), self._request(far))

    async def _first_of(self, wanted: Coroutine[None, None, bool], other: Coroutine[None, None, None]) -> bool:
        """What `wanted` gives; False where `other` has ended the exchange before.

        Raises:
            OSError: the application is gone.
        """
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(wanted), loop.create_task(other)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                return bool(tasks[0].result())
            tasks[1].result()  # raises what it raised
            if self._exchange.state is State.REQUESTING:
                raise ConnectionResetError
            return False
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _outcome(self, far: socket.socket) -> bool:
        """Whether there is a connection to the target; where there is none, the exchange knows why."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            outcome = await loop.sock_recv(far, 1)
            if outcome == _SUCCEEDED:
                return True
            if outcome:
                self._exchange.fail(_NAMES[outcome[0]])
                return False
        self._exchange.fail("failed")
        return False

    async def _request(self, far: socket.socket) -> None:
        """Give the target the request, then watch for the application's end; ends with that, or with a failure."""
        loop = asyncio.get_running_loop()
        exchange = self._exchange
        while True:
            with contextlib.suppress(OSError):  # of the target's side, which `_respond` notices
                await self._send(far, exchange.poll_target())
            if exchange.state is not State.REQUESTING:
                return
            if exchange.is_behind:
                await asyncio.sleep(0)
                exchange.read_on()
                continue
            if exchange.request_is_whole:
                await self._hung_up()
                return
            data = await loop.sock_recv(self._application, _BYTES_AT_ONCE)
            if not data:
                return
            exchange.handle_application(data)

    async def _respond(self, far: socket.socket) -> bool:
        """Give the application the response, to its end."""
        loop = asyncio.get_running_loop()
        exchange = self._exchange
        while exchange.state is State.REQUESTING:
            try:
                data = await loop.sock_recv(far, _BYTES_AT_ONCE)
            except OSError:
                data = b""
            if data:
                for start in range(0, len(data), PIECE_BYTES):
                    if start:
                        await asyncio.sleep(0)
                    exchange.handle_target(data[start : start + PIECE_BYTES])
            else:
                with contextlib.suppress(OSError):
                    far.shutdown(socket.SHUT_WR)
                exchange.handle_target_end(in_order=await self._ended)
            await self._send(self._application, exchange.poll_application())
        return True

    async def _hung_up(self) -> None:
        """Wait until the application has ended its side; for ever, once it has sent something instead."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        descriptor = self._application.fileno()

        def look() -> None:
            try:
                data = self._application.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            loop.remove_reader(descriptor)
            if not data and not gone.done():
                gone.set_result(None)

        loop.add_reader(descriptor, look)
        try:
            await gone
        finally:
            loop.remove_reader(descriptor)

    async def _send(self, to: socket.socket, data: bytes) -> None:
        if data:
            await asyncio.get_running_loop().sock_sendall(to, data)

    def _reset(self) -> None:
        """Close so that what the application has of a response cannot pass for whole."""
        with contextlib.suppress(OSError):
            self._application.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._application.close()

    async def _close_in_order(self) -> None:
        """Keep a reset, for bytes left unread, from overtaking the answer."""
        loop = asyncio.get_running_loop()
        try:
            with contextlib.suppress(OSError, TimeoutError):
                self._application.shutdown(socket.SHUT_WR)
                async with asyncio.timeout(LINGER_SECONDS):
                    while await loop.sock_recv(self._application, _BYTES_AT_ONCE):
                        pass
        finally:
            self._application.close()

    def _has_ended(self, in_order: bool) -> None:
        if not self._ended.done():
            self._ended.set_result(in_order)
