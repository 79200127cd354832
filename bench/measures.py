"""The measurements. Each takes running systems and gives numbers by name; names carry the unit.

down_1_gbit, up_8_gbit, …       payload per second in the window
…_cpu_client, …_cpu_server      CPU seconds per GB (10^9 bytes) of payload
…_stolen_percent, …_others_…    of the machine, taken by the hypervisor and by strangers: how far to trust the above
peak_client_mb, peak_server_mb  VmHWM after the bulk transfers (MB: 10^6 bytes)
connections_per_second          32 at once: connect, one byte there and back, close
first_byte_p50_ms               from opening a connection to the target's first byte
idle_rtt_p50_ms, bulk_rtt_…     64 bytes to an echo and back, on an idle tunnel and beside a one-stream download
idle_connection_kb_client, …    memory per connection with 1,000 that have moved a byte and rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import accounting, load
from interop.counterparts import ends

if TYPE_CHECKING:
    from bench.systems import System

Numbers = dict[str, float]

IDLE_CONNECTIONS = 1000
MOST_CONNECTIONS = 8000


def bulk(system: System, seconds: float) -> Numbers:
    """Throughput and CPU, one stream and eight, down and up; then the peak of memory."""
    numbers: Numbers = {}
    for streams in (1, 8):
        for direction, service in (("down", "source"), ("up", "discard")):
            options = ["-streams", str(streams), "-direction", direction, "-duration", f"{seconds}s"]
            result = load.run(system, "bulk", service, *options)
            name = f"{direction}_{streams}"
            gigabytes = result["bytes"] / 1e9
            numbers[f"{name}_gbit"] = gigabytes * 8 / result["seconds"]
            for role, used in result["cpu"].items():
                numbers[f"{name}_cpu_{role}"] = used / gigabytes
            if result["cpu"]:
                numbers[f"{name}_cpu_both"] = sum(result["cpu"].values()) / gigabytes
            for disturbance in ("stolen_percent", "others_percent"):
                numbers[f"{name}_{disturbance}"] = result[disturbance]
    for role, process in system.processes.items():
        numbers[f"peak_{role}_mb"] = accounting.peak_memory(process.pid) / 1e6
    return numbers


def times(system: System, seconds: float) -> Numbers:
    """Connections per second, time to first byte, request and response on an idle tunnel and during a download."""
    first = load.run(system, "first-byte", "source", "-count", "200")
    idle = load.run(system, "round-trips", "echo", "-duration", f"{seconds / 2}s", "-warmup", "200ms")
    source = ends.join(*system.services["source"])
    busy = load.run(system, "round-trips", "echo", "-bulk-target", source, "-duration", f"{seconds}s")
    many = load.run(
        system, "connections", "echo", "-workers", "32", "-duration", f"{seconds}s", "-count", str(MOST_CONNECTIONS)
    )
    numbers: Numbers = {
        "connections_per_second": many["per_second"],
        "connections_failed": many["failures"],
        "connection_p50_ms": many["p50_us"] / 1000,
        "first_byte_p50_ms": first["p50_us"] / 1000,
        "first_byte_p99_ms": first["p99_us"] / 1000,
        "idle_rtt_p50_ms": idle["p50_us"] / 1000,
        "idle_rtt_p99_ms": idle["p99_us"] / 1000,
        "bulk_rtt_p50_ms": busy["p50_us"] / 1000,
        "bulk_rtt_p99_ms": busy["p99_us"] / 1000,
    }
    for role, used in many["cpu"].items():
        numbers[f"connection_cpu_us_{role}"] = used * 1e6 / many["samples"]
    return numbers


def idle_memory(system: System, _: float) -> Numbers:
    """Memory of a fresh system before and with 1,000 connections that have moved a byte."""
    load.run(system, "round-trips", "echo", "-duration", "100ms", "-warmup", "0s")
    before = {role: accounting.memory(process.pid) for role, process in system.processes.items()}
    with load.process(system, "idle", "echo", "-count", str(IDLE_CONNECTIONS)) as connections:
        connections.wait_for("window", 60)
        numbers: Numbers = {}
        for role, process in system.processes.items():
            held = accounting.memory(process.pid)
            numbers[f"base_{role}_mb"] = before[role] / 1e6
            numbers[f"idle_connection_kb_{role}"] = (held - before[role]) / 1e3 / IDLE_CONNECTIONS
    return numbers


MEASURES = {"bulk": bulk, "times": times, "memory": idle_memory}
