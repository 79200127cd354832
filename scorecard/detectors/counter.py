"""Test 5: a session's index and counter in the clear, behind padding of any length.

At some offset of 0 to 63, a 4-byte word that stays while the little-endian u64 after it rises, by 64 at most, in a
dozen datagrams of one direction in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scorecard.packets import Flow

OFFSETS = range(64)
IN_A_ROW = 12
STEP = 64


def fires(flow: Flow) -> bool | None:
    """Whether either direction has such a counter; None where neither has a dozen datagrams."""
    verdicts = [
        _counts([packet.payload for packet in flow.direction(up=up)])
        for up in (True, False)
        if len(flow.direction(up=up)) >= IN_A_ROW
    ]
    return any(verdicts) if verdicts else None


def _counts(payloads: Sequence[bytes]) -> bool:
    return any(_counts_at(payloads, offset) for offset in OFFSETS)


def _counts_at(payloads: Sequence[bytes], offset: int) -> bool:
    middle, end = offset + 4, offset + 12
    word, run, last = b"", 0, 0
    for payload in payloads:
        if len(payload) < end:
            word, run = b"", 0
            continue
        if payload[offset:middle] != word:
            word, run, last = payload[offset:middle], 1, int.from_bytes(payload[middle:end], "little")
            continue
        count = int.from_bytes(payload[middle:end], "little")
        run = run + 1 if 0 < count - last <= STEP else 1
        last = count
        if run >= IN_A_ROW:
            return True
    return False
