"""Test 10: handshakes by the sizes of request and answer: WireGuard's own 148 and 92, or one pair at every rekey.

An observer has to guess which datagrams are handshakes; these tests are told: among thousands of random sizes 148 is
followed by 92 now and then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAIN = (148, 92)


def plain_pair(handshakes: Sequence[tuple[int, int]]) -> bool:
    """Whether one of a flow's handshakes, sizes of request and answer, has plain WireGuard's sizes."""
    return PLAIN in handshakes


def one_pair(handshakes: Sequence[tuple[int, int]]) -> bool | None:
    """Whether all handshakes of a flow are of one pair; None with fewer than two."""
    return len(set(handshakes)) == 1 if len(handshakes) >= 2 else None
