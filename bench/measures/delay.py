"""What a transfer does to others on its link: how long small messages take beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measures.place import BULK_SERVICES

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place


def measure(place: Place) -> Numbers:
    """Added delay down and up, and the share that the transfer reached meanwhile."""
    idle = place.load("round-trips", "echo", "-duration", f"{place.seconds / 2}s", "-warmup", "200ms")
    numbers: Numbers = {"idle_rtt_p50_ms": idle["p50_us"] / 1000}
    for direction, service in BULK_SERVICES.items():
        bulk = ["-bulk-target", place.service(service), *place.bulk_options(direction)]
        busy = place.load("round-trips", "echo", *bulk)
        numbers[f"delayed_{direction}_share"] = place.share(busy["bytes"] * 8 / busy["seconds"])
        for quantile in ("p50", "p95"):
            numbers[f"added_delay_{quantile}_{direction}_ms"] = (busy[f"{quantile}_us"] - idle["p50_us"]) / 1000
    return numbers
