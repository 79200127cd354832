"""Throughput and CPU time, one stream and eight, down and up; then the peak of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import accounting
from bench.measures.place import BULK_SERVICES

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place

STREAMS = (1, 8)


def measure(place: Place) -> Numbers:
    """Everything about bulk transfers."""
    numbers: Numbers = {}
    for streams in STREAMS:
        for direction, service in BULK_SERVICES.items():
            result = place.load("bulk", service, "-streams", str(streams), *place.bulk_options(direction))
            name = f"{direction}_{streams}"
            gigabytes = result["bytes"] / 1e9
            bits_per_second = result["bytes"] * 8 / result["seconds"]
            numbers[f"{name}_gbit"] = bits_per_second / 1e9
            if place.scenario.link is not None:
                numbers[f"{name}_share"] = place.share(bits_per_second)
            for role, used in result["cpu"].items():
                numbers[f"{name}_cpu_{role}"] = used / gigabytes
            if result["cpu"]:
                numbers[f"{name}_cpu_both"] = sum(result["cpu"].values()) / gigabytes
    for role, process in place.system.processes.items():
        numbers[f"peak_{role}_mb"] = accounting.peak_memory(process.pid) / 1e6
    return numbers
