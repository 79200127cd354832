"""The local port: accepts applications, negotiates with each, and hands the requested connection on.

What is spoken with an application is a `Front`'s affair, and `negotiating` drives it. Once a request stands, the socket
leaves the event loop and belongs to whoever `connect` is; or the request is an exchange of HTTP, after which the
application may come back with its next one.

Bound: `MAX_NEGOTIATIONS` applications at once in negotiation; beyond that, accepting pauses and the kernel's backlog
fills. An application that was served is kept for its next request only while half of these places are free.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

import structlog

from awgproxy.errors import ListenError
from awgproxy.proxy.association import Association
from awgproxy.proxy.http.forwarding import Forwarding
from awgproxy.proxy.negotiating import Exchanging, Gate, Negotiating

if TYPE_CHECKING:
    from collections.abc import Callable

    from awgproxy.proxy.application import Application
    from awgproxy.proxy.front import Front
    from awgproxy.proxy.negotiating import Wish
    from awgproxy.proxy.users import Users

MAX_NEGOTIATIONS = 4096
_BACKLOG = 1024
_ACCEPT_AT_ONCE = 64
_ACCEPT_RETRY_SECONDS = 0.1
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = structlog.get_logger()


class Listener:
    """One listening TCP port for applications."""

    def __init__(
        self,
        host: str,
        port: int,
        front_of: Callable[[int], Front],
        users: Users,
        *,
        connect: Callable[[Application], None],
        associate: Callable[[Association], None],
    ) -> None:
        """Nothing is bound yet: see `start`.

        Args:
            host: Where to listen, an address.
            port: And the port; 0 = any free one.
            front_of: Begins a conversation with an application, by the first byte that it sent.
            users: Whose credentials are right.
            connect: Called from the event loop with each request; owns the socket from then on.
            associate: Likewise with each association.
        """
        self._host = host
        self._port = port
        self._front_of = front_of
        self._gate = Gate(users)
        self._connect = connect
        self._associate = associate
        self._socket: socket.socket | None = None
        self._negotiating: set[Negotiating] = set()
        self._forwarding: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self.accepted = 0
        self.refused = 0

    @property
    def mistakes(self) -> int:
        """Wrong passwords since the start."""
        return self._gate.attempts.mistakes

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
                accepted, peer = listening.accept()
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
            self._negotiating_with(accepted, peer[0]).start()

    def _negotiating_with(self, application: socket.socket, peer: str) -> Negotiating:
        made = Negotiating(application, peer, self._front_of, self._gate, self._ended)
        self._negotiating.add(made)
        return made

    def _ended(self, application: Negotiating, asking: Wish | None, refusal: str | None) -> None:
        self._negotiating.discard(application)
        if refusal is not None:
            self.refused += 1
            log.info("application refused", reason=refusal)
        if isinstance(asking, Exchanging):
            task = asyncio.get_running_loop().create_task(self._forward(asking))
            self._forwarding.add(task)
            task.add_done_callback(self._forwarding.discard)
        elif isinstance(asking, Association):
            self._associate(asking)
        elif asking is not None:
            self._connect(asking)

    async def _forward(self, asking: Exchanging) -> None:
        try:
            kept = await Forwarding(asking.socket, asking.exchange, self._connect).run()
        except Exception:
            log.exception("an HTTP request could not be forwarded")
            return
        if kept is None:
            return
        if self._socket is None or len(self._negotiating) >= MAX_NEGOTIATIONS // 2:
            kept.close()
        else:
            self._negotiating_with(kept, asking.peer).go_on(asking.exchange.remainder)

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
