"""Test 4: OpenGFW's tracker of WireGuard, written anew from its description.

A message counts that has type 1 to 4 with three zero bytes behind it, the size of its type (148, 92, 64; data at least
32 and a multiple of 16), and, where it answers or belongs to a session, the index that the other end gave. The tracker
gives a flow up after four datagrams that fit nothing; a patient one never does.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.packets import Flow

GIVE_UP = 4
SIZES = {1: 148, 2: 92, 3: 64}
DATA, LEAST_DATA = 4, 32


def fires(flow: Flow, give_up: int | None = GIVE_UP) -> bool:
    """Whether the tracker sees an index that the other end had given. `give_up` None: it never gives up."""
    indices: dict[bool, set[bytes]] = {True: set(), False: set()}
    misfits = 0
    for packet in flow.packets:
        kind = _kind(packet.payload)
        if kind is None:
            misfits += 1
            if give_up is not None and misfits >= give_up:
                return False
            continue
        if kind in (1, 2):
            indices[packet.up].add(packet.payload[4:8])
        receiver = {2: packet.payload[8:12], 3: packet.payload[4:8], 4: packet.payload[4:8]}.get(kind)
        if receiver in indices[not packet.up]:
            return True
    return False


def _kind(payload: bytes) -> int | None:
    if len(payload) < LEAST_DATA or payload[1:4] != bytes(3):
        return None
    (kind,) = struct.unpack_from("B", payload)
    if kind == DATA:
        return DATA if len(payload) % 16 == 0 else None
    return kind if SIZES.get(kind) == len(payload) else None
