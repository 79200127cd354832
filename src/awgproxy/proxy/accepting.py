"""A listening TCP port: bound, accepting, and pausing where nothing can be accepted."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

import structlog

from awgproxy.errors import ListenError

if TYPE_CHECKING:
    from collections.abc import Callable

_BACKLOG = 1024
_AT_ONCE = 64
_RETRY_SECONDS = 0.1
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

log = structlog.get_logger()


class Accepting:
    """Accepts connections and hands each on; where there is no room for more, they wait in the kernel's backlog."""

    def __init__(
        self,
        host: str,
        port: int,
        take: Callable[[socket.socket, str], None],
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing is bound yet: see `start`.

        Args:
            host: Where to listen, an address.
            port: And the port; 0 = any free one.
            take: Called from the event loop with each connection, which does not block, and its peer's address; owns
                the socket from then on.
            is_full: Whether there is no room for another one.
        """
        self._host = host
        self._port = port
        self._take = take
        self._is_full = is_full
        self._socket: socket.socket | None = None
        self._paused: asyncio.TimerHandle | None = None
        self.accepted = 0

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
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # which accepted ones inherit
            listening.setblocking(False)
            listening.bind((self._host, self._port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise ListenError.of(error, "TCP", self._host, self._port) from error
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening.fileno(), self._accept)

    def stop(self) -> None:
        """Close the port; connections that were handed on are not touched."""
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None:
                return
            if self._is_full():
                self._pause(self._socket)
                return
            try:
                accepted, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    log.warning("cannot accept applications for now", reason=error.strerror)
                    self._pause(self._socket)
                    return
                continue  # that one hung up before it was accepted
            self.accepted += 1
            accepted.setblocking(False)
            self._take(accepted, peer[0])

    def _pause(self, listening: socket.socket) -> None:
        """Stop accepting for a moment, so that a full table or no free descriptor does not spin the loop."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())
        self._paused = loop.call_later(_RETRY_SECONDS, self._resume)

    def _resume(self) -> None:
        self._paused = None
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)
