"""What the tunnel adds to a round trip when nothing else happens: through the proxy less direct, by turns."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.scale.sides import CARRIERS, load, pair

if TYPE_CHECKING:
    from bench.scale.report import Numbers
    from bench.scale.sides import Pair

ROUNDS = 3


def measure() -> Numbers:
    """Microseconds at the median of each run, and of the runs."""
    numbers: Numbers = {}
    for carrier in CARRIERS:
        with pair(carrier) as ends:
            turns = [(_median(ends, direct=True), _median(ends, direct=False)) for _ in range(ROUNDS)]
        numbers[f"direct_p50_us_{carrier}"] = statistics.median(direct for direct, _ in turns)
        numbers[f"proxied_p50_us_{carrier}"] = statistics.median(proxied for _, proxied in turns)
        numbers[f"added_p50_us_{carrier}"] = statistics.median(proxied - direct for direct, proxied in turns)
    return numbers


def _median(ends: Pair, *, direct: bool) -> float:
    with load(ends, "round-trips", "-duration", "2s", "-warmup", "300ms", direct=direct) as round_trips:
        return float(round_trips.wait_for("result")["p50_us"])
