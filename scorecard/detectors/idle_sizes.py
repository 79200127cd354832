"""Test 9: few sizes among what a client says first after a silence: keepalives, opening segments, handshakes."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scorecard.packets import Flow

SILENCE = 5.0
LIMIT = 0.2
LEAST = 40
"""Of fewer even random sizes repeat too often."""


def judge(flows: Sequence[Flow]) -> Finding:
    """Servers at which two sizes make up more than a fifth of what clients say first, of those with enough of it."""
    by_server: dict[str, Counter[int]] = defaultdict(Counter)
    for flow in flows:
        by_server[flow.pair].update(len(ender.payload) for _, ender in flow.silences(SILENCE) if ender.up)
    shares = {
        pair: sum(count for _, count in sizes.most_common(2)) / sizes.total()
        for pair, sizes in by_server.items()
        if sizes.total() >= LEAST
    }
    remark = f"largest share {max(shares.values()):.0%}" if shares else ""
    return Finding(sum(share > LIMIT for share in shares.values()), len(shares), remark)
