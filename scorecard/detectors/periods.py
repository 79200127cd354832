"""Test 11: WireGuard's clock: a rekey every 120 s, a keepalive after every 25 s."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scorecard.packets import Flow

KEEPALIVE, REKEY = 25.0, 120.0
WITHIN = 1.0
LIMIT = 0.2
SILENCE = 5.0


def keepalives(flows: Iterable[Flow]) -> Finding:
    """Silences that lasted 25 s, of all silences in flows whose applications are silent."""
    return _near(KEEPALIVE, [length for flow in flows for length, ender in flow.silences(SILENCE) if ender.up])


def rekeys(runs: Iterable[Sequence[float]]) -> Finding:
    """Rekeys after 120 s, of all; `runs` are, by flow, when each handshake began.

    An observer has to guess which datagrams those are; this test is told.
    """
    return _near(REKEY, [after - before for run in runs for before, after in itertools.pairwise(run)])


def _near(period: float, lengths: Sequence[float]) -> Finding:
    near = sum(abs(length - period) <= WITHIN for length in lengths)
    if not lengths:
        return Finding(0, 0)
    return Finding(near, len(lengths), f"from {min(lengths):.0f} to {max(lengths):.0f} s; {_densest(lengths)}")


def _densest(lengths: Sequence[float]) -> str:
    """Where most lengths lie together, whatever the period: what an observer learns who measures for himself."""
    width = 2 * WITHIN
    most, start = max((sum(low <= length <= low + width for length in lengths), low) for low in lengths)
    return f"{most} within {width:.0f} s from {start:.0f} s"
