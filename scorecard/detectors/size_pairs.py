"""Test 10: handshakes by the sizes of request and answer: WireGuard's own 148 and 92, or one pair at every rekey."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scorecard.packets import Flow

PLAIN = (148, 92)
ANSWER_WITHIN = 5.0


def plain_pair(flow: Flow) -> bool:
    """Whether a client's 148 bytes are answered by 92 in time, with nothing else from the server between."""
    asked = float("-inf")
    for packet in flow.packets:
        if packet.up:
            asked = packet.at if len(packet.payload) == PLAIN[0] else asked
        else:
            if len(packet.payload) == PLAIN[1] and packet.at - asked <= ANSWER_WITHIN:
                return True
            asked = float("-inf")
    return False


def one_pair(handshakes: Sequence[tuple[int, int]]) -> bool | None:
    """Whether all handshakes of a flow, sizes of request and answer, are of one pair; None with fewer than two.

    An observer has to guess which datagrams are handshakes; this test is told.
    """
    return len(set(handshakes)) == 1 if len(handshakes) >= 2 else None
