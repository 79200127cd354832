"""Test 7: bytes that are not spread evenly over their values, column by column over all datagrams of a server."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = 64
LIMIT = 6.0
VALUES = 256
LEAST = 5 * VALUES
"""Fewer datagrams than five for each value say nothing in a chi-squared test."""


def deviation(column: bytes) -> float:
    """How far the values are from even: chi-squared with 255 degrees of freedom, in standard deviations."""
    expected = len(column) / VALUES
    seen = Counter(column)
    squares = sum((seen[value] - expected) ** 2 for value in range(VALUES)) / expected
    return float((squares - (VALUES - 1)) / (2 * (VALUES - 1)) ** 0.5)


def judge(payloads: Mapping[str, Sequence[bytes]]) -> Finding:
    """Columns that are uneven at any server; `payloads` by server, without what claims to be another protocol."""
    worst, at, judged = float("-inf"), 0, 0
    uneven = set()
    for sent in payloads.values():
        for offset in range(COLUMNS):
            column = bytes(payload[offset] for payload in sent if len(payload) > offset)
            if len(column) < LEAST:
                continue
            judged = max(judged, offset + 1)
            found = deviation(column)
            if found > worst:
                worst, at = found, offset
            if found > LIMIT:
                uneven.add(offset)
    return Finding(len(uneven), judged, f"largest z {worst:.1f}, at offset {at}" if judged else "")
