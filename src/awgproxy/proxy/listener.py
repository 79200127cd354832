"""The local port: accepts applications, negotiates with each, and hands the requested connection on.

What is spoken with an application is a `Front`'s affair, and `negotiating` drives it. Once a request stands, the socket
leaves the event loop and belongs to whoever `connect` is; or the request is an exchange of HTTP, after which the
application may come back with its next one.

Bound: `MAX_NEGOTIATIONS` applications at once in negotiation; beyond that, accepting pauses and the kernel's backlog
fills. An application that was served is kept for its next request only while half of these places are free.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy.proxy.accepting import Accepting
from awgproxy.proxy.association import Association
from awgproxy.proxy.negotiating import Exchanging, Gate, Negotiating

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from awgproxy.proxy.application import Application
    from awgproxy.proxy.front import Front
    from awgproxy.proxy.negotiating import Wish
    from awgproxy.proxy.users import Users

MAX_NEGOTIATIONS = 4096

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
        exchanging: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Nothing is bound yet: see `start`.

        Args:
            host: Where to listen, an address.
            port: And the port; 0 = any free one.
            front_of: Begins a conversation with an application, by the first byte that it sent.
            users: Whose credentials are right.
            connect: Called from the event loop with each request; owns the socket from then on.
            associate: Likewise with each association.
            exchanging: Entered for as long as an exchange of HTTP lasts: to the last byte for the application, which
                is later than the end of the connection that it came by.
        """
        self._accepting = Accepting(host, port, self._take, lambda: len(self._negotiating) >= MAX_NEGOTIATIONS)
        self._front_of = front_of
        self._gate = Gate(users)
        self._connect = connect
        self._associate = associate
        self._exchanging = exchanging
        self._is_stopped = False
        self._negotiating: set[Negotiating] = set()
        self._forwarding: set[asyncio.Task[None]] = set()
        self.refused = 0

    @property
    def accepted(self) -> int:
        """Applications since the start."""
        return self._accepting.accepted

    @property
    def mistakes(self) -> int:
        """Wrong passwords since the start."""
        return self._gate.attempts.mistakes

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the port that the system chose where 0 was asked for."""
        return self._accepting.address

    def start(self) -> None:
        """Bind and listen.

        Raises:
            ListenError: the address is not there, in use or not permitted; the text says which.
        """
        self._accepting.start()

    def stop(self) -> None:
        """Close the port and whatever is still in negotiation; connections already handed on are not touched."""
        self._is_stopped = True
        self._accepting.stop()
        for application in tuple(self._negotiating):
            application.close()

    def _take(self, application: socket.socket, peer: str) -> None:
        self._negotiating_with(application, peer).start()

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
            with self._exchanging():
                from awgproxy.proxy.http.forwarding import Forwarding  # noqa: PLC0415 - with the first such request

                kept = await Forwarding(asking.socket, asking.exchange, self._connect).run()
        except Exception:
            log.exception("an HTTP request could not be forwarded")
            return
        if kept is None:
            return
        if self._is_stopped or len(self._negotiating) >= MAX_NEGOTIATIONS // 2:
            kept.close()
        else:
            self._negotiating_with(kept, asking.peer).go_on(asking.exchange.remainder)
