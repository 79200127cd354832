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

STARTS = 5
YARDSTICK = "import asyncio, ssl"


def measure(place: Place) -> Numbers:
    """Medians of some starts; the yardstick's among them, by turns."""
    system = place.system
    assert system.start_client is not None
    system.processes["client"].stop()
    clients, yardsticks = [], []
    for _ in range(STARTS):
        begun = time.monotonic()
        with system.near.entered(), system.start_client() as client:
            with socks.connect(client.socks, system.services["source"]) as connection:
                connection.sendall(b"1\n")
                socks.take(connection, 1)
            clients.append(time.monotonic() - begun)
        begun = time.monotonic()
        subprocess.run([*system.near.inside, sys.executable, "-c", YARDSTICK], check=True)
        yardsticks.append(time.monotonic() - begun)
    start, python = statistics.median(clients), statistics.median(yardsticks)
    return {"start_ms": start * 1e3, "python_ms": python * 1e3, "start_to_python": start / python}
