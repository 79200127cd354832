"""What a proxied connection costs at each end that has moved a byte and rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scale import memory
from bench.scale.sides import CARRIERS, load, pair

if TYPE_CHECKING:
    from bench.scale.report import Numbers

COUNTS = (1000, 10_000)
OPENING_SECONDS = 60


def measure() -> Numbers:
    """KB (1024 bytes) for each connection, by carrier, count and end."""
    numbers: Numbers = {}
    for carrier in CARRIERS:
        for count in COUNTS:
            numbers |= _rest(carrier, count)
    return numbers


def _rest(carrier: str, count: int) -> Numbers:
    with pair(carrier) as ends:
        with load(ends, "idle", "-count", "8") as first:
            first.wait_for("window")
        before = [memory.at_rest(end) for end in (ends.client, ends.server)]
        with load(ends, "idle", "-count", str(count)) as connections:
            connections.wait_for("window", OPENING_SECONDS)
            after = [memory.at_rest(end) for end in (ends.client, ends.server)]
    client, server = ((late - early) / count / 1024 for early, late in zip(before, after, strict=True))
    name = f"idle_connection_kb_{carrier}_{count}"
    return {f"{name}_client": client, f"{name}_server": server, name: client + server}
