"""The local port: accepts applications, negotiates SOCKS5 with each, and hands the requested connection on.

It drives `socks5.Negotiation` with non-blocking sockets and asyncio's readiness callbacks: no task and no stream
object per connection, since nothing here waits for anything but bytes. Once a request stands, the socket leaves the
event loop and belongs to whoever `connect` is.

Bounds: `MAX_NEGOTIATIONS` applications at once in negotiation (beyond that, accepting pauses and the kernel's backlog
fills), `NEGOTIATION_SECONDS` for each, `MAX_BYTES_AT_ONCE` for one read.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

import structlog

from awgproxy.errors import ListenError
from awgproxy.proxy.application import Application
from awgproxy.proxy.socks5 import ANSWERS, Credentials, Negotiation, State

MAX_NEGOTIATIONS = 4096
NEGOTIATION_SECONDS = 10.0
MAX_BYTES_AT_ONCE = 65536
_BACKLOG = 1024
_ACCEPT_AT_ONCE = 64
_ACCEPT_RETRY_SECONDS = 0.1
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = structlog.get_logger()


class Listener:
    """One listening TCP port for SOCKS5 applications."""

    def __init__(
        self, host: str, port: int, credentials: Credentials | None, connect: Callable[[Application], None]
    ) -> None:
        """`connect` is called from the event loop with each request and owns the socket from then on.

        Nothing is bound yet: see `start`.
        """
        self._host = host
        self._port = port
        self._credentials = credentials
        self._connect = connect
        self._socket: socket.socket | None = None
        self._negotiating: set[_Negotiating] = set()
        self._paused: asyncio.TimerHandle | None = None
        self.accepted = 0
        self.refused = 0

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that the system chose where 0 was asked for."""
        if self._socket is None:
            return (self._host, self._port)
        name = self._socket.getsockname()
        return (name[0], name[1])

    def start(self) -> None:
        """Bind and listen.

        Raises:
            ListenError: the address is not there, in use or not permitted; the text says which.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setblocking(False)
            listening.bind((self._host, self._port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise ListenError.of(error, "TCP", self._host, self._port) from error
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening.fileno(), self._accept)

    def stop(self) -> None:
        """Close the port and whatever is still in negotiation; connections already handed on are not touched."""
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        for application in tuple(self._negotiating):
            application.close()

    def _accept(self) -> None:
        listening = self._socket
        if listening is None:
            return
        for _ in range(_ACCEPT_AT_ONCE):
            if len(self._negotiating) >= MAX_NEGOTIATIONS:
                self._pause()
                return
            try:
                accepted, _ = listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    log.warning("cannot accept applications for now", reason=error.strerror)
                    self._pause()
                    return
                continue  # that one hung up before it was accepted
            self.accepted += 1
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._negotiating.add(_Negotiating(accepted, self._credentials, self._ended))

    def _ended(self, application: _Negotiating, asking: Application | None, refusal: str | None) -> None:
        self._negotiating.discard(application)
        if refusal is not None:
            self.refused += 1
            log.info("application refused", reason=refusal)
        if asking is not None:
            self._connect(asking)

    def _pause(self) -> None:
        """Stop accepting for a moment, so that a full table or no free descriptor does not spin the loop."""
        assert self._socket is not None  # noqa: S101 - only called while listening
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        self._paused = loop.call_later(_ACCEPT_RETRY_SECONDS, self._resume)

    def _resume(self) -> None:
        self._paused = None
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)


class _Negotiating:
    """One accepted application until its request stands; `ended` hears once what became of it."""

    __slots__ = ("_deadline", "_ended", "_negotiation", "_socket")

    def __init__(self, accepted: socket.socket, credentials: Credentials | None, ended: _Ended) -> None:
        loop = asyncio.get_running_loop()
        self._socket = accepted
        self._negotiation = Negotiation(credentials)
        self._ended = ended
        self._deadline = loop.call_later(NEGOTIATION_SECONDS, self._expire)
        loop.add_reader(accepted.fileno(), self._read)

    def close(self, refusal: str | None = None) -> None:
        """Give the application up."""
        self._leave_loop()
        self._socket.close()
        self._ended(self, None, refusal)

    def _leave_loop(self) -> None:
        self._deadline.cancel()
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
        negotiation = self._negotiation
        negotiation.handle_bytes(data)
        answer = negotiation.poll_answer()
        if answer and not self._send(answer):
            self.close()
        elif negotiation.state is State.REFUSED:
            self._end_in_order()
            self.close(negotiation.refusal)
        elif negotiation.request is not None:
            self._leave_loop()
            asking = Application(self._socket, negotiation.request, negotiation.remainder, ANSWERS)
            self._ended(self, asking, None)

    def _send(self, answer: bytes) -> bool:
        """An answer is at most a dozen bytes: an application that leaves no room for it is not reading at all."""
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
        self.close(f"no request within {NEGOTIATION_SECONDS:.0f} s")


_Ended = Callable[[_Negotiating, Application | None, str | None], None]
