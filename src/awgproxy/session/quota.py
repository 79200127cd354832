"""What each peer with a monthly quota has used, kept on disk: a restart gives nobody more than the month has.

A month begins on the first, 00:00 UTC. While the system's clock is behind the month that was counted last, counting
goes on in that one. The engine counts and refuses; here its count is read, once a minute while there is traffic and not
at all while there is none, and each peer is given a whole quota when the month turns.

The file is JSON: ``{"month": "2026-11", "used": {PUBLIC KEY: BYTES}}``. Where there is none, or it cannot be read or
written, the server runs as it would without.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from awgproxy._native import FlowClosed, FlowIncoming, QuotaSpent
from awgproxy.session.state_file import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from awgproxy.session.events import Handlers

COUNT_SECONDS = 60.0
"""Between two looks at what was used, while there is traffic: what a crash forgets at most."""

LONGEST_WAIT_SECONDS = 86_400.0
"""How long the turn of the month is waited for at once: the system's clock may be set meanwhile."""

_BEGINNING = b'{"month": '
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

log = structlog.get_logger()


class CountingEngine(Protocol):
    """What is needed of the engine."""

    def snapshot(self) -> Any:
        """The peers, with what was relayed for each since the start."""


def _now() -> datetime:
    return datetime.now(UTC)


class MonthlyUsage:
    """What the peers of one server have used of their quotas this month."""

    def __init__(self, path: Path, quotas: Mapping[str, int], now: Callable[[], datetime] = _now) -> None:
        """Read the file.

        Args:
            path: Where it is.
            quotas: Bytes a month, by public key; of a peer that is not in it nothing is counted.
            now: The time, UTC.
        """
        self._file = StateFile(path, _BEGINNING)
        self._quotas = quotas
        self._now = now
        self._month, self._used = _read(self._file) if quotas else ("", {})
        self._relayed: dict[str, int] = {}  # since the engine's start, as it said last
        self._engine: CountingEngine | None = None
        self._renew: Callable[[], None] = lambda: None
        self._is_renewed = True
        self._is_written = True
        self._writing = threading.Lock()
        self._warned = False
        self._looking: asyncio.TimerHandle | None = None
        self._turning: asyncio.TimerHandle | None = None
        self.handlers: Handlers = {
            FlowIncoming: self._flow_began,
            FlowClosed: self._flow_ended,
            QuotaSpent: self._spent,
        }
        if not self._turn() and self._month > self._month_now():
            hint = f"delete {path} if the clock was ahead then"
            log.warning("the clock is behind the month that usage was counted in", month=self._month, hint=hint)

    def rest(self, peer: str) -> int | None:
        """Bytes that a peer has left this month, by what was counted last; None where it has no quota."""
        quota = self._quotas.get(peer)
        return None if quota is None else max(0, quota - self._used.get(peer, 0))

    @contextmanager
    def counting(self, engine: CountingEngine, renew: Callable[[], None]) -> Iterator[None]:
        """Count what `engine`, which is new, relays until the end of the block, and write it then.

        `renew` gives the engine anew what each peer has left; OSError and RuntimeError say that it takes nothing now.
        """
        if not self._quotas:
            yield
            return
        self._engine, self._renew = engine, renew
        self._await_turn()
        try:
            yield
        finally:
            for timer in (self._turning, self._looking):
                if timer is not None:
                    timer.cancel()
            self.count()
            with self._writing:  # one that is under way has ended
                is_written = self._is_written
            if not is_written:
                self._write()

    def count(self) -> bool:
        """Take over what the engine has counted meanwhile; gives whether a peer has flows or has used more."""
        if self._engine is None:
            return False
        try:
            peers = self._engine.snapshot()["peers"]
        except OSError as error:
            log.warning("what the peers have used cannot be counted", reason=error.strerror or str(error))
            return True
        busy = False
        for key in self._quotas.keys() & peers.keys():
            relayed = peers[key]["relayed_bytes"]
            more = relayed - self._relayed.get(key, 0)
            self._relayed[key] = relayed
            busy = busy or peers[key]["flows"] > 0 or more > 0
            if more > 0:
                self._used[key] = self._used.get(key, 0) + more
                self._is_written = False
        return busy

    def look(self) -> bool:
        """What the timers do: count, and where the month has turned give everybody a whole quota; gives as `count`."""
        busy = self.count()
        if self._turn():
            log.info("quotas are whole again", month=self._month)
            self._is_renewed = False
        if not self._is_renewed:
            try:
                self._renew()
                self._is_renewed = True
            except (OSError, RuntimeError) as error:
                log.warning("the quotas cannot be renewed, for now", reason=str(error))
                busy = True
                self._look_later()
        self._await_turn()
        if not self._is_written:
            asyncio.get_running_loop().run_in_executor(None, self._write)
        return busy

    def _month_now(self) -> str:
        return self._now().strftime("%Y-%m")

    def _turn(self) -> bool:
        """Go over to the month that it is, if it is a later one; gives whether."""
        month = self._month_now()
        if month <= self._month:
            return False
        self._month, self._used = month, {}
        self._is_written = False
        return True

    def _await_turn(self) -> None:
        if self._turning is not None:
            self._turning.cancel()
        now = self._now()
        begins = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
        seconds = min((begins - now).total_seconds(), LONGEST_WAIT_SECONDS)
        self._turning = asyncio.get_running_loop().call_later(seconds, self.look)

    def _flow_began(self, event: FlowIncoming) -> None:
        if event.peer in self._quotas:
            self._look_later()

    def _flow_ended(self, _: FlowClosed) -> None:
        """It does not say whose it was; looking once too often costs nothing."""
        self._look_later()

    def _look_later(self) -> None:
        if self._looking is None and self._engine is not None:
            self._looking = asyncio.get_running_loop().call_later(COUNT_SECONDS, self._look_while_busy)

    def _look_while_busy(self) -> None:
        self._looking = None
        if self.look():
            self._look_later()

    def _spent(self, _: QuotaSpent) -> None:
        """Let a crash forget nothing of it."""
        self.look()

    def _write(self) -> None:
        """Replace the file. Of two writes at once, the later one has what is newer."""
        with self._writing:
            self._is_written = True  # before it is looked at: what comes meanwhile is for the next write
            text = json.dumps({"month": self._month, "used": self._used.copy()})
            try:
                self._file.replace(text + "\n")
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    log.warning(
                        "what the peers have used cannot be kept",
                        file=str(self._file.path),
                        reason=error.strerror or str(error),
                        hint="a restart gives every peer its whole quota again: set StateFile in [Server]",
                    )


def _read(file: StateFile) -> tuple[str, dict[str, int]]:
    """The month and what was used in it; nothing where there is no file, or where it is not what is written here."""
    try:
        return _usage(file.read())
    except FileNotFoundError:
        return "", {}
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        reason = "it is damaged, or not a file of usage"
    log.warning("what the peers have used cannot be read", file=str(file.path), reason=reason)
    return "", {}


def _usage(content: bytes) -> tuple[str, dict[str, int]]:
    """What `MonthlyUsage` has written. Raises all kinds of errors where it has not."""
    found = json.loads(content)
    month, used = found["month"], found["used"]
    if not _MONTH.fullmatch(month) or not all(type(count) is int and count >= 0 for count in used.values()):
        raise ValueError("a month is 2026-11, and what was used is bytes")
    return month, used
