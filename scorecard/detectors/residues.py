"""Test 8: lengths that keep to one residue modulo 16, the block that WireGuard pads to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.packets import Flow

BLOCK = 16
LIMIT = 0.25
LEAST = 64
"""Of fewer datagrams even random lengths may have more than a quarter in one residue."""


def fires(flow: Flow) -> bool | None:
    """Whether either direction keeps to one; None where neither has enough datagrams."""
    shares = [share for up in (True, False) if (share := largest_share(flow, up=up)) is not None]
    return max(shares) > LIMIT if shares else None


def largest_share(flow: Flow, *, up: bool) -> float | None:
    """The share of the most common residue in one direction."""
    seen = Counter(len(packet.payload) % BLOCK for packet in flow.packets if packet.up is up)
    return max(seen.values()) / seen.total() if seen.total() >= LEAST else None
