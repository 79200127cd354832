"""Keeps whoever can cause entries from flooding the log: each event has an allowance, and what exceeds it is counted.

Entries at debug are not limited: who asks for them wants them all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, WrappedLogger

BURST = 100
"""Entries of one event that may come at once."""
SECONDS_PER_ENTRY = 10.0
"""How often one more is granted."""
MOST_EVENTS = 1000
"""Events that are told apart; the rest share one allowance."""
_REST = "…"


@dataclass(slots=True)
class _Allowance:
    granted: float
    at: float
    left_out: int = 0


class FloodGuard:
    """A processor of structlog. The entry after a gap has the field ``left_out``: how many were not written."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds, never going back."""
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}

    def __call__(self, _logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
        """Let an entry pass, or raise `DropEvent`."""
        if method == "debug":
            return entry
        allowance = self._allowance(str(entry.get("event")))
        if allowance.granted < 1:
            allowance.left_out += 1
            raise structlog.DropEvent
        allowance.granted -= 1
        if allowance.left_out:
            entry["left_out"] = allowance.left_out
            allowance.left_out = 0
        return entry

    def _allowance(self, event: str) -> _Allowance:
        now = self._clock()
        if event not in self._allowances and len(self._allowances) >= MOST_EVENTS:
            event = _REST
        found = self._allowances.setdefault(event, _Allowance(BURST, now))
        found.granted = min(BURST, found.granted + (now - found.at) / SECONDS_PER_ENTRY)
        found.at = now
        return found
