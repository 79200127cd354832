"""`python -m bench.scale`: what a peer, a round trip and an idle connection cost, and whether very many of them hold.

peer_kb_N                       KB (1024 bytes) for each configured peer that was never heard of, beside N others
added_p50_us_CARRIER            microseconds that the tunnel adds to a round trip of 64 bytes on an idle machine
idle_connection_kb_CARRIER_N    KB for each of N connections that have moved a byte, in client and server together
sessions, connections, echoes   what 1,000 peers with 10 connections each had of one server
peers_counted_right             those for whom the server counted exactly what their connections carried
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time

from bench.results import RESULTS
from bench.scale import connections, crowd, peers, report, round_trip
from bench.start import can_measure
from bench.systems import OURS

MEASURES = {
    "peers": peers.measure,
    "round-trip": round_trip.measure,
    "connections": connections.measure,
    "crowd": crowd.measure,
}


def main() -> int:
    """Measure and print; 1 where nothing can be measured here, or something is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASURES, help="leave the other measures out; may repeat")
    chosen = parser.parse_args().only or list(MEASURES)
    if not can_measure(OURS):
        return 1
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    numbers: report.Numbers = {}
    for name in chosen:
        begun = time.monotonic()
        numbers |= MEASURES[name]()
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
    print(f"{machine}; open files a process may have: {descriptors}")
    print(report.table(numbers))
    RESULTS.mkdir(exist_ok=True)
    saved = RESULTS / f"scale-{time.strftime('%Y%m%d-%H%M%S')}.json"
    saved.write_text(json.dumps({"machine": machine, "numbers": numbers}, indent=1))
    return 0 if all(report.is_met(name, value) for name, value in numbers.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
