"""Memory of a fresh system, and with connections that have moved a byte and rest."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from bench import accounting, load

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place

SPARE = 500
"""Descriptors, in pairs, for everything else."""


def of_a_thousand(place: Place) -> Numbers:
    """With 1,000 connections."""
    return _measure(place, "idle", 1000)


def of_ten_thousand(place: Place) -> Numbers:
    """With 10,000, or with as many as leave two descriptors for each where the limit of open files is low."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - SPARE
    count = min(10_000, allowed)
    return {**_measure(place, "idle_10k", count), "idle_10k_connections": count}


def _measure(place: Place, name: str, count: int) -> Numbers:
    """Memory before, and per connection by process and in sum."""
    system = place.system
    place.load("round-trips", "echo", "-duration", "100ms", "-warmup", "0s")
    numbers: Numbers = {f"base_{role}_mb": accounting.memory(end.pid) / 1e6 for role, end in system.processes.items()}
    with load.process(system, "idle", "echo", "-count", str(count)) as connections:
        connections.wait_for("window", 120)
        kilobytes = {
            role: (accounting.memory(end.pid) / 1e3 - numbers[f"base_{role}_mb"] * 1e3) / count
            for role, end in system.processes.items()
        }
    for role, each in kilobytes.items():
        numbers[f"{name}_connection_kb_{role}"] = each
    return {**numbers, f"{name}_connection_kb_both": sum(kilobytes.values())}
