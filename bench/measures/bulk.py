"""Throughput, CPU time and the peak of memory of transfers one way, by one stream or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import accounting
from bench.measures.place import BULK_SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measures import Numbers
    from bench.measures.place import Place


def transfers(direction: str, streams: int) -> Callable[[Place], Numbers]:
    """What measures `streams` transfers at once in that direction."""

    def measure(place: Place) -> Numbers:
        service = BULK_SERVICES[direction]
        result = place.load("bulk", service, "-streams", str(streams), *place.bulk_options(direction))
        name = f"{direction}_{streams}"
        gigabytes = result["bytes"] / 1e9
        bits_per_second = result["bytes"] * 8 / result["seconds"]
        numbers: Numbers = {f"{name}_gbit": bits_per_second / 1e9}
        if place.scenario.link is not None:
            numbers[f"{name}_share"] = place.share(bits_per_second)
        for role, used in result["cpu"].items():
            numbers[f"{name}_cpu_{role}"] = used / gigabytes
        if result["cpu"]:
            numbers[f"{name}_cpu_both"] = sum(result["cpu"].values()) / gigabytes
        for role, process in place.system.processes.items():
            numbers[f"{name}_peak_{role}_mb"] = accounting.peak_memory(process.pid) / 1e6
        return numbers

    return measure
