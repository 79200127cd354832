"""Runs the load program on a system and says what the system used in the meantime."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from bench import accounting
from bench.noise import Noise
from interop.counterparts import ends, programs
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from bench.systems import System

Result = dict[str, Any]

PATIENCE = 90
"""Seconds for a window to begin, and to end."""


def process(system: System, kind: str, service: str, *options: str) -> Process:
    """The load program, started: `interop/cmd/load` tells the kinds and options."""
    target = ["-target", ends.join(*system.services[service])]
    proxy = ["-proxy", ends.join(*system.proxy)] if system.proxy is not None else []
    program = programs.go_programs() / "load"
    return Process(f"load {kind}", [program, kind, *target, *proxy, *options], system.near.inside)


def run(system: System, kind: str, service: str, *options: str) -> Result:
    """One load from start to end: its result, and what was used within its window.

    "cpu": CPU seconds of each process of the system; "noise": what others took, be it the hypervisor or processes
    that are neither the system's nor the measurement's.
    """
    with process(system, kind, service, *options) as load:
        load.wait_for("window", PATIENCE, lambda line: line["at"] == "start")
        before = _Reading(system, load)
        load.wait_for("window", PATIENCE, lambda line: line["at"] == "end")
        after = _Reading(system, load)
        capacity = (after.clock - before.clock) * (os.cpu_count() or 1)
        known = after.known - before.known
        result = {
            "cpu": {role: after.cpu[role] - before.cpu[role] for role in after.cpu},
            "noise": Noise(
                stolen_percent=100 * (after.stolen - before.stolen) / capacity,
                others_percent=max(0.0, 100 * (after.busy - before.busy - known) / capacity),
            ),
        }
        return result | load.wait_for("result")


class _Reading:
    """All clocks at one moment."""

    def __init__(self, system: System, load: Process) -> None:
        self.cpu = {role: accounting.cpu_seconds(process.pid) for role, process in system.processes.items()}
        self.known = sum(self.cpu.values()) + sum(accounting.cpu_seconds(end.pid) for end in (load, *system.aside))
        self.stolen = accounting.stolen_seconds()
        self.busy = accounting.busy_seconds()
        self.clock = time.monotonic()
