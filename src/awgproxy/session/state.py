"""Whether a client's tunnel is up, and why it is not: for whoever waits for it or has to explain a failure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from awgproxy._native import EngineFailed, HandshakeCompleted, HandshakeFailed, SessionEnded
from awgproxy.errors import TunnelClosed

if TYPE_CHECKING:
    from awgproxy.session.events import Handlers


class TunnelState:
    """Up while a session with any peer stands."""

    def __init__(self) -> None:
        self._up: set[str] = set()
        self._changed = asyncio.Event()
        self._over: Exception | None = None
        self.why_down = "no handshake was answered yet"
        """What is known of the cause, for people; of no meaning while the tunnel is up."""
        self.handlers: Handlers = {
            HandshakeCompleted: self._completed,
            HandshakeFailed: self._failed,
            SessionEnded: self._ended,
            EngineFailed: self._engine_failed,
        }

    @property
    def is_up(self) -> bool:
        """Whether a session stands."""
        return bool(self._up) and self._over is None

    async def wait_up(self) -> None:
        """Wait until a session stands, for as long as it takes.

        Raises:
            Exception: what `close` was given.
        """
        while not self.is_up:
            if self._over is not None:
                raise self._over
            self._changed.clear()
            await self._changed.wait()

    def close(self, why: Exception) -> None:
        """The tunnel will not be up again; the first reason stands."""
        self._over = self._over or why
        self._changed.set()

    def _completed(self, event: HandshakeCompleted) -> None:
        self._up.add(event.peer)
        self._changed.set()

    def _failed(self, event: HandshakeFailed) -> None:
        self.why_down = f"{event.cause}: {event.hint}" if event.hint else event.cause

    def _ended(self, event: SessionEnded) -> None:
        self._up.discard(event.peer)
        if not self._up:
            self.why_down = "the session ended, and no handshake was answered since"

    def _engine_failed(self, event: EngineFailed) -> None:
        self.close(TunnelClosed(f"a defect of awgproxy ended the tunnel: {event.message}"))
