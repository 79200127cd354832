"""Test 14: the same datagram twice: at another handshake of the flow, or from the client of another server."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scorecard.packets import Flow

LEAST = 40


def within_flow(flow: Flow) -> bool:
    """Whether a client's payload of 40 bytes or more comes twice."""
    seen = set()
    for payload in _payloads(flow):
        if payload in seen:
            return True
        seen.add(payload)
    return False


def across_pairs(flows: Sequence[Flow]) -> Finding:
    """Payloads of 40 bytes or more that clients of two generated pairs send, of all that are sent."""
    senders: dict[bytes, set[str]] = defaultdict(set)
    for flow in flows:
        for payload in _payloads(flow):
            senders[payload].add(flow.pair)
    return Finding(sum(len(pairs) > 1 for pairs in senders.values()), len(senders))


def _payloads(flow: Flow) -> Iterable[bytes]:
    return (packet.payload for packet in flow.packets if packet.up and len(packet.payload) >= LEAST)
