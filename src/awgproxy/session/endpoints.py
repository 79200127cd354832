"""The peers' endpoints by name: looked up by the system at the start, and again when a peer's handshake fails.

Each name is looked up by itself: one that cannot be found keeps no other peer waiting. These look-ups and the datagrams
to the endpoints are all that a client sends outside its tunnel.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import TYPE_CHECKING, Self

import structlog

from awgproxy._native import HandshakeFailed
from awgproxy.config import values
from awgproxy.config.values import InvalidValue
from awgproxy.session.settings import NO_TIMESTAMPS, named_endpoints, peer_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.settings import Timestamps

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between tries while an endpoint cannot be set; the last one repeats."""

log = structlog.get_logger()


class EndpointKeeper:
    """Keeps the engine's endpoints in step with the names in the configuration while it is entered."""

    def __init__(self, config: Config, engine: SessionEngine, last_timestamps: Timestamps = NO_TIMESTAMPS) -> None:
        """`last_timestamps` goes to the engine with each change, since that names all of its peers anew."""
        self._config = config
        self._last_timestamps = last_timestamps
        self._engine = engine
        self._named = named_endpoints(config)
        self._found: dict[str, tuple[str, int]] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self.handlers: Handlers = {HandshakeFailed: self._handshake_failed}

    def __enter__(self) -> Self:
        """Begin to look every name up, without waiting; the engine must have started."""
        for peer in self._named:
            self._begin(peer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is under way."""
        for looking in self._looking.values():
            looking.cancel()

    def _handshake_failed(self, event: HandshakeFailed) -> None:
        """The name may mean another address by now."""
        if event.peer in self._named:
            self._begin(event.peer)

    def _begin(self, peer: str) -> None:
        looking = self._looking.get(peer)
        if looking is None or looking.done():
            self._looking[peer] = asyncio.get_running_loop().create_task(self._look_up(peer))

    async def _look_up(self, peer: str) -> None:
        name, port = self._named[peer]
        for pause in itertools.chain(RETRY_SECONDS, itertools.repeat(RETRY_SECONDS[-1])):
            try:
                found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_DGRAM)
                self._set(peer, (_peers_address(str(entry[4][0]) for entry in found), port))
            # Of the system, of its answer or the name, or of an engine that is too busy.
            except (OSError, ValueError, RuntimeError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                log.warning("an endpoint cannot be set", name=name, reason=reason, retry_seconds=pause)
            else:
                return
            await asyncio.sleep(pause)

    def _set(self, peer: str, endpoint: tuple[str, int]) -> None:
        found = self._found | {peer: endpoint}
        if found != self._found:
            self._engine.set_peers(peer_settings(self._config, found, self._last_timestamps))
            self._found = found


def _peers_address(found: Iterable[str]) -> str:
    """The first address that a peer can have, by the rules for those in the configuration: one host's, without a zone.

    Raises:
        ValueError: there is none.
    """
    for text in found:
        with contextlib.suppress(InvalidValue):
            address = values.address(text)
            if values.is_one_hosts(address):
                return str(address)
    raise ValueError("it has no address that a peer can have: one host's, without a zone")
