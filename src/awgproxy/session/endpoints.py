"""The peers' endpoints by name: looked up by the system at the start, and again when a handshake gets no answer.

These look-ups and the datagrams to the endpoints are all that a client sends outside its tunnel.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import structlog

from awgproxy.session.settings import named_endpoints, peer_settings

if TYPE_CHECKING:
    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between tries while a name cannot be found; the last one repeats."""

log = structlog.get_logger()


class EndpointKeeper:
    """Keeps the engine's endpoints in step with the names in the configuration."""

    def __init__(self, config: Config, engine: SessionEngine) -> None:
        self._config = config
        self._engine = engine
        self._known: dict[str, tuple[str, int]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look every name up, without waiting; does nothing where all endpoints are addresses."""
        if named_endpoints(self._config) and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._look_up())

    def look_up_again(self) -> None:
        """A handshake failed: the name may mean another address by now."""
        self.start()

    def stop(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()

    async def _look_up(self) -> None:
        found: dict[str, tuple[str, int]] = {}
        for key, (name, port) in named_endpoints(self._config).items():
            found[key] = (await self._address_of(name, port), port)
        if found != self._known:
            try:
                self._engine.set_peers(peer_settings(self._config, found))
            except (OSError, RuntimeError) as error:  # it has too much to do, or has ended
                log.warning("the endpoints could not be changed", reason=str(error))
                return
            self._known = found

    async def _address_of(self, name: str, port: int) -> str:
        pauses = iter(RETRY_SECONDS)
        pause = 0.0
        while True:
            try:
                found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_DGRAM)
                return str(found[0][4][0])
            except (OSError, UnicodeError) as error:
                pause = next(pauses, pause)
                reason = getattr(error, "strerror", None) or str(error)
                log.warning("the endpoint's name cannot be looked up", name=name, reason=reason, retry_seconds=pause)
            await asyncio.sleep(pause)
