"""The peers' endpoints: which of them the engine is given, and the look-ups of their names by the system.

Each name is looked up by itself, at the start and again when handshakes with a peer fail: one that cannot be found
keeps no other waiting. These look-ups and the datagrams to the endpoints are all that a client sends outside its
tunnel. Which endpoint has its turn is decided in `candidates`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from typing import TYPE_CHECKING, Self

import structlog

from awgproxy._native import HandshakeCompleted, HandshakeFailed, HandshakeUnanswered, PeerRoamed
from awgproxy.config import values
from awgproxy.config.values import InvalidValue
from awgproxy.session.candidates import Candidates
from awgproxy.session.network import own_address
from awgproxy.session.settings import NO_TIMESTAMPS, first_endpoints, peer_settings
from awgproxy.session.system_names import system_addresses
from awgproxy.session.terms import NO_GRANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from awgproxy.config import Config, Endpoint
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.settings import Endpoints, Timestamps
    from awgproxy.session.terms import Grants

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between tries while a name cannot be found or the engine is too busy, about; the last one repeats."""
AGAIN_SECONDS = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Least time between look-ups of a name that is found while handshakes fail, about; the last one repeats."""
LOST_TRIES = 3
"""Initiations that get no answer where a peer has moved to, before it is sought again where it was configured."""
JITTER = 0.25
"""By what part of itself a pause may be shorter or longer."""

log = structlog.get_logger()


class EndpointKeeper:
    """Keeps the engine's endpoints in step with what names mean and who answers, while it is entered."""

    def __init__(
        self,
        config: Config,
        engine: SessionEngine,
        last_timestamps: Timestamps = NO_TIMESTAMPS,
        exchanged: Callable[[], None] = lambda: None,
        moved: Callable[[], None] = lambda: None,
        *,
        grants: Callable[[], Grants] = lambda: NO_GRANTS,
    ) -> None:
        """`last_timestamps` and `grants` go to the engine with each change, since that names all of its peers anew.

        `exchanged` is called when a session stands with a peer at another endpoint than the last one, `moved` when
        `current` has changed.
        """
        self._config = config
        self._last_timestamps = last_timestamps
        self._grants = grants
        self._engine = engine
        self._exchanged = exchanged
        self._has_moved = moved
        self._told: Endpoints = first_endpoints(config)
        self._candidates = {
            peer.public_key: Candidates(peer.endpoints, self._has_route) for peer in config.peers if peer.endpoints
        }
        self._titles = {
            peer.public_key: f"peer {number}" for number, peer in enumerate(config.peers, 1) if peer.endpoints
        }
        self._moved: set[str] = set()
        self._lost_on_the_move: set[str] = set()
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._looked_up: dict[str, tuple[int, float]] = {}
        self._network_changed = asyncio.Event()
        self._retry: asyncio.TimerHandle | None = None
        self._retries = 0
        self._entered = False
        self.handlers: Handlers = {
            HandshakeCompleted: self._completed,
            HandshakeUnanswered: self._unanswered,
            HandshakeFailed: self._failed,
            PeerRoamed: self._roamed,
        }

    def __enter__(self) -> Self:
        """Begin to look every name up, without waiting; the engine must have started."""
        self._entered = True
        for name in self._names:
            self._look_up(name)
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what is under way."""
        self._entered = False
        if self._retry is not None:
            self._retry.cancel()
        for looking in self._looking.values():
            looking.cancel()

    @property
    def current(self) -> list[Endpoint]:
        """The endpoints that are tried or answer, by address."""
        return [one.current.endpoint for one in self._candidates.values() if one.current is not None]

    def network_changed(self) -> None:
        """Begin again with who does not answer and what was not found: it may have been the network's fault."""
        for candidates in self._candidates.values():
            candidates.network_changed()
        self._tell()
        self._looked_up.clear()
        self._network_changed.set()
        self._network_changed = asyncio.Event()

    @property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for one in self._candidates.values() for name in sorted(one.names)))

    def _has_route(self, endpoint: Endpoint) -> bool:
        return own_address(endpoint, self._config.interface.fw_mark) is not None

    def granted(self) -> None:
        """Tell the engine of all peers anew, since what they are granted has changed.

        Raises:
            OSError, RuntimeError: it takes no commands now.
        """
        self._set_peers(self._told)

    # What the engine says.

    def _completed(self, event: HandshakeCompleted) -> None:
        candidates = self._candidates.get(event.peer)
        if candidates is None:
            return
        for name in candidates.names:
            self._looked_up.pop(name, None)
        if candidates.answered(*self._whereabouts(event.peer, candidates)):
            self._exchanged()
        self._tell()

    def _whereabouts(self, peer: str, candidates: Candidates) -> tuple[str, int]:
        """Where a peer answered: where there are several candidates it may be the one before, which was only late."""
        at = None
        if candidates.are_several:
            with contextlib.suppress(OSError, LookupError):
                at = self._engine.snapshot()["peers"][peer]["endpoint"]
        return at or ("", 0)

    def _unanswered(self, event: HandshakeUnanswered) -> None:
        candidates = self._candidates.get(event.peer)
        if candidates is None:
            return
        before = candidates.current
        candidates.unanswered()
        now = candidates.current
        if event.peer in self._moved and event.tries >= LOST_TRIES:
            self._moved.discard(event.peer)
            self._lost_on_the_move.add(event.peer)
        if now is not None and now != before:
            log.info(
                "another endpoint is tried",
                peer=self._titles[event.peer],
                endpoint=str(candidates.configured[now.place]),
                address=now.endpoint.host,
            )
        self._tell()
        self._look_up_names_of(event.peer)

    def _failed(self, event: HandshakeFailed) -> None:
        if event.peer is not None:
            self._look_up_names_of(event.peer)

    def _roamed(self, event: PeerRoamed) -> None:
        self._moved.add(event.peer)

    # Names.

    def _look_up_names_of(self, peer: str) -> None:
        """They may mean other addresses by now."""
        candidates = self._candidates.get(peer)
        now = asyncio.get_running_loop().time()
        for name in sorted(candidates.names) if candidates is not None else ():
            count, not_before = self._looked_up.get(name, (0, now))
            if now >= not_before:
                pause = AGAIN_SECONDS[min(count, len(AGAIN_SECONDS) - 1)]
                self._looked_up[name] = (count + 1, now + _about(pause))
                self._look_up(name)

    def _look_up(self, name: str) -> None:
        looking = self._looking.get(name)
        if looking is None or looking.done():
            self._looking[name] = asyncio.get_running_loop().create_task(self._find(name))

    async def _find(self, name: str) -> None:
        for pause in itertools.chain(RETRY_SECONDS, itertools.repeat(RETRY_SECONDS[-1])):
            try:
                addresses = _peers_addresses(await system_addresses(name))
            except (OSError, ValueError) as error:  # of the system, or of its answer or the name
                reason = getattr(error, "strerror", None) or str(error)
                log.warning("an endpoint cannot be set", name=name, reason=reason, retry_seconds=pause)
                for candidates in self._candidates.values():
                    candidates.not_found(name)
                self._tell()
            else:
                for candidates in self._candidates.values():
                    candidates.found(name, addresses)
                self._tell()
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._network_changed.wait(), _about(pause))

    # The engine.

    def _tell(self) -> None:
        """Tell the engine of what has changed; one that is too busy is told again."""
        if not self._entered:
            return
        wanted = {peer: one.current.endpoint for peer, one in self._candidates.items() if one.current is not None}
        try:
            if self._lost_on_the_move & self._told.keys():
                # The engine holds on to where a peer has moved, unless it is told of another place than before.
                self._set({peer: told for peer, told in self._told.items() if peer not in self._lost_on_the_move})
            self._set(wanted)
        except (OSError, RuntimeError) as error:
            pause = RETRY_SECONDS[min(self._retries, len(RETRY_SECONDS) - 1)]
            self._retries += 1
            reason = getattr(error, "strerror", None) or str(error)
            log.warning("an endpoint cannot be set", reason=reason, retry_seconds=pause)
            if self._retry is not None:
                self._retry.cancel()
            self._retry = asyncio.get_running_loop().call_later(_about(pause), self._tell)
        else:
            self._lost_on_the_move.clear()
            self._retries = 0

    def _set(self, wanted: Endpoints) -> None:
        if wanted != self._told:
            self._set_peers(wanted)
            self._told = wanted
            self._has_moved()

    def _set_peers(self, endpoints: Endpoints) -> None:
        self._engine.set_peers(peer_settings(self._config, endpoints, self._last_timestamps, self._grants()))


def _about(seconds: float) -> float:
    """So many seconds, more or less: not all clients that lost a server come back at once."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - nothing secret


def _peers_addresses(found: Iterable[str]) -> list[str]:
    """The addresses that a peer can have, by the rules for those in the configuration: one host's, without a zone.

    Raises:
        ValueError: there is none.
    """
    usable = []
    for text in found:
        with contextlib.suppress(InvalidValue):
            address = values.address(text)
            if values.is_one_hosts(address):
                usable.append(str(address))
    if not usable:
        raise ValueError("it has no address that a peer can have: one host's, without a zone")
    return usable
