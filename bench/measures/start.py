"""How soon the client program is of use."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from interop.counterparts import socks

if TYPE_CHECKING:
    from bench.measures import Numbers
    from bench.measures.place import Place
    from bench.systems import System

STARTS = 5
YARDSTICK = "import asyncio, ssl"


def measure(place: Place) -> Numbers:
    """Medians of some starts; the yardstick's among them, by turns. A first of each does not count: it fills caches."""
    system = place.system
    system.processes["client"].stop()
    starts = [(_client(system), _yardstick(system)) for _ in range(1 + STARTS)][1:]
    start, python = (statistics.median(seconds) for seconds in zip(*starts, strict=True))
    return {"start_ms": start * 1e3, "python_ms": python * 1e3, "start_to_python": start / python}


def _client(system: System) -> float:
    """Seconds from starting a client to the first byte through it."""
    assert system.start_client is not None
    begun = time.monotonic()
    with system.near.entered(), system.start_client() as client:
        with socks.connect(client.socks, system.services["source"]) as connection:
            connection.sendall(b"1\n")
            socks.take(connection, 1)
        return time.monotonic() - begun


def _yardstick(system: System) -> float:
    begun = time.monotonic()
    subprocess.run([*system.near.inside, sys.executable, "-c", YARDSTICK], check=True)
    return time.monotonic() - begun
