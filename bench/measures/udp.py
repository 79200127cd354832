"""Datagrams to an echo and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place

UNDER_WAY = 64


def measure(place: Place) -> Numbers:
    """How many come back per second, and how many do not."""
    options = ["-streams", "1", "-workers", str(UNDER_WAY), "-warmup", "500ms", "-duration", f"{place.seconds}s"]
    result = place.load("datagrams", "datagrams", *options)
    numbers: Numbers = {"datagrams_per_second": result["per_second"], "datagrams_lost": result["lost"]}
    for role, used in result["cpu"].items():
        numbers[f"datagram_cpu_us_{role}"] = used * 1e6 / result["samples"]
    return numbers
