"""Test 6: sixteen zero bytes at the end of an early datagram: a handshake message whose second MAC is not set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.packets import Flow

EARLY = 32
"""How many datagrams of a flow count as early: two initiations with all the junk there may be before them."""
MAC = bytes(16)


def fires(flow: Flow) -> bool:
    """Whether an early datagram ends so."""
    return any(packet.payload.endswith(MAC) for packet in flow.packets[:EARLY])
