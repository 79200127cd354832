"""Connections per second, time to first byte, request and response on an idle system and during a download."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place

WORKERS = 32
MOST_CONNECTIONS = 8000
FIRST_BYTES = 200


def measure(place: Place) -> Numbers:
    """Everything that is counted in milliseconds, or is their inverse."""
    first = place.load("first-byte", "source", "-count", str(FIRST_BYTES))
    idle = place.load("round-trips", "echo", "-duration", f"{place.seconds / 2}s", "-warmup", "200ms")
    bulk = ["-bulk-target", place.service("source"), *place.bulk_options("down")]
    busy = place.load("round-trips", "echo", *bulk)
    bounds = ["-workers", str(WORKERS), "-duration", f"{place.seconds}s", "-count", str(MOST_CONNECTIONS)]
    many = place.load("connections", "echo", *bounds)
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
