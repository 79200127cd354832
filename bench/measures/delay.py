"""What a transfer does to others on its link: how long small messages take beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measures.place import BULK_SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measures import Numbers
    from bench.measures.place import Place


def beside(direction: str) -> Callable[[Place], Numbers]:
    """What measures the added delay beside one transfer in that direction, and the share that the transfer reaches."""

    def measure(place: Place) -> Numbers:
        idle = place.load("round-trips", "echo", "-duration", f"{place.seconds / 2}s", "-warmup", "200ms")
        bulk = ["-bulk-target", place.service(BULK_SERVICES[direction]), *place.bulk_options(direction)]
        busy = place.load("round-trips", "echo", *bulk)
        numbers: Numbers = {
            "idle_rtt_p50_ms": idle["p50_us"] / 1000,
            f"delayed_{direction}_share": place.share(busy["bytes"] * 8 / busy["seconds"]),
        }
        for quantile in ("p50", "p95"):
            added = busy[f"{quantile}_us"] - idle["p50_us"]
            numbers[f"added_delay_{quantile}_{direction}_ms"] = added / 1000
        return numbers

    return measure
