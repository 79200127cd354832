"""One accepted application until its request stands: a non-blocking socket and a clock around a `Front`.

asyncio's readiness callbacks and timers drive it: no task and no stream object per connection, since nothing here waits
for anything but bytes and, after wrong passwords, for time.

Bounds: `NEGOTIATION_SECONDS` for an application, those not counted in which it is made to wait, and
`KEEP_ALIVE_SECONDS` until one that was served before begins with its next request; `MAX_BYTES_AT_ONCE` for one read;
`MAX_HELD` answers to wrong passwords are held back at once, further ones are given at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import structlog

from awgproxy.proxy.application import Application
from awgproxy.proxy.association import Association, bind_beside, plain_address, port_of
from awgproxy.proxy.attempts import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from awgproxy.proxy.destination import Destination
    from awgproxy.proxy.front import Front
    from awgproxy.proxy.http.exchange import Exchange
    from awgproxy.proxy.users import Users

NEGOTIATION_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 60.0
MAX_BYTES_AT_ONCE = 65536
MAX_HELD = 1024

log = structlog.get_logger()


class Gate:
    """What the negotiations of one listener share: its users, and their mistakes."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self.attempts = Attempts()
        self.held = 0
        """Answers that are held back now."""


class Exchanging(NamedTuple):
    """An application's request that the proxy itself is to make, on the application's socket, out of the event loop."""

    socket: socket.socket
    peer: str
    exchange: Exchange


Wish: TypeAlias = Application | Association | Exchanging
"""What comes of an application."""


class Negotiating:
    """One application; `ended` hears once what became of it: its request, or why it was refused, or neither."""

    __slots__ = ("_ended", "_front", "_front_of", "_gate", "_held", "_kept", "_peer", "_socket", "_timer")

    def __init__(
        self,
        accepted: socket.socket,
        peer: str,
        front_of: Callable[[int], Front],
        gate: Gate,
        ended: Callable[[Negotiating, Wish | None, str | None], None],
    ) -> None:
        """`accepted`: non-blocking, from the address `peer`. `front_of`: what is spoken, by the first byte.

        Nothing happens before `start` or `go_on`.
        """
        self._socket = accepted
        self._peer = peer
        self._front_of = front_of
        self._front: Front | None = None
        self._gate = gate
        self._held = False
        self._kept = False
        self._ended = ended

    def start(self) -> None:
        """Begin with an application that was just accepted."""
        self._listen(NEGOTIATION_SECONDS)
        self._read()  # it may have spoken already

    def go_on(self, early: bytes) -> None:
        """Begin with one that was served before; `early` was read from it already."""
        self._kept = not early
        self._listen(NEGOTIATION_SECONDS if early else KEEP_ALIVE_SECONDS)
        if early:
            self._take(early)

    def close(self, refusal: str | None = None) -> None:
        """Give the application up."""
        self._release()
        self._pause()
        self._socket.close()
        self._ended(self, None, refusal)

    def _listen(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._expire)
        loop.add_reader(self._socket.fileno(), self._read)

    def _pause(self) -> None:
        self._timer.cancel()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())

    def _read(self) -> None:
        try:
            data = self._socket.recv(MAX_BYTES_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        if self._kept:
            self._kept = False
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(NEGOTIATION_SECONDS, self._expire)
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self._front is None:
            self._front = self._front_of(data[0])
        self._front.handle_bytes(data)
        self._advance(self._front)

    def _advance(self, front: Front) -> None:
        answer = front.poll_answer()
        if answer and not self._send(answer):
            self.close()
        elif front.is_over:
            self._end_in_order()
            self.close(front.refusal)
        elif front.offered is not None:
            self._pause()
            self._take_turn(front)
        elif front.request is not None:
            self._pause()
            self._ended(self, Application(self._socket, front.request, front.remainder, front.answers), None)
        elif front.source is not None:
            self._associate(front, front.source)
        elif front.exchange is not None:
            self._pause()
            self._ended(self, Exchanging(self._socket, self._peer, front.exchange), None)

    def _associate(self, front: Front, source: Destination) -> None:
        try:
            datagrams = bind_beside(self._socket)
        except OSError as error:
            log.warning("no port for datagrams", reason=error.strerror)
            front.associate(None)
            self._advance(front)
            return
        host, port, *_ = datagrams.getsockname()
        front.associate((plain_address(host), port))
        if not self._send(front.poll_answer()):
            datagrams.close()
            self.close()
            return
        self._pause()
        client = plain_address(self._peer)
        self._ended(self, Association(self._socket, datagrams, client, port_of(source, client)), None)

    def _take_turn(self, front: Front) -> None:
        """Have the credentials looked at, now or when it is their turn."""
        loop = asyncio.get_running_loop()
        turn = self._gate.attempts.turn(self._peer, loop.time())
        if turn is None:
            self.close("wrong passwords from its address before: not looked at")
        elif turn > 0:
            self._timer = loop.call_later(turn, self._judge, front)
        else:
            self._judge(front)

    def _judge(self, front: Front) -> None:
        gate = self._gate
        if front.offered is not None and gate.users.know(front.offered):
            gate.attempts.succeeded(self._peer)
            self._tell(front, right=True)
            return
        loop = asyncio.get_running_loop()
        delay = gate.attempts.failed(self._peer, loop.time())
        log.warning("wrong username or password", address=self._peer, mistakes=gate.attempts.mistakes)
        if gate.held >= MAX_HELD:
            self._tell(front, right=False)
            return
        gate.held += 1
        self._held = True
        self._timer = loop.call_later(delay, self._tell_wrong, front)

    def _tell_wrong(self, front: Front) -> None:
        self._tell(front, right=False)

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._gate.held -= 1

    def _tell(self, front: Front, *, right: bool) -> None:
        self._release()
        front.judge(right=right)
        self._listen(NEGOTIATION_SECONDS)
        self._advance(front)

    def _send(self, answer: bytes) -> bool:
        """An answer is small: an application that leaves no room for it is not reading at all."""
        try:
            return self._socket.send(answer) == len(answer)
        except OSError:
            return False

    def _end_in_order(self) -> None:
        """Keep a reset, for bytes left unread, from overtaking the answer."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.recv(MAX_BYTES_AT_ONCE)

    def _expire(self) -> None:
        self.close(None if self._kept else f"no request within {NEGOTIATION_SECONDS:.0f} s")
