"""`python -m bench`: systems by turns, round after round; medians, ratios and targets at the end.

The results of every round go to bench/results/, which is not kept in the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time

from bench import report
from bench.measures import MEASURES
from bench.start import can_measure
from bench.systems import BULK_ONLY, MTU, OBFUSCATIONS, SYSTEMS
from interop.counterparts.configuration import Tunnel


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each system has its turn (default 3)")
    parser.add_argument("--only", action="append", choices=SYSTEMS, help="leave the other systems out; may repeat")
    parser.add_argument("--measure", action="append", choices=MEASURES, help="leave the other measures out; may repeat")
    parser.add_argument("--seconds", type=float, default=4, help="length of each bulk window (default 4)")
    parser.add_argument("--obfuscation", choices=OBFUSCATIONS, default=next(iter(OBFUSCATIONS)), help="of every tunnel")
    return parser.parse_args()


def main() -> int:
    """Measure and print; 1 where nothing can be measured here."""
    chosen = arguments()
    if not can_measure(chosen.only or SYSTEMS):
        return 1
    tunnel = Tunnel(obfuscation=OBFUSCATIONS[chosen.obfuscation], mtu=MTU)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in chosen.only or SYSTEMS}
    for number in range(chosen.rounds):
        for name, results in rounds.items():
            numbers: dict[str, float] = {}
            for measure in chosen.measure or MEASURES:
                if name in BULK_ONLY and measure != "bulk":
                    continue
                begun = time.monotonic()
                with SYSTEMS[name](tunnel) as system:
                    numbers |= MEASURES[measure](system, chosen.seconds)
                took = time.monotonic() - begun
                print(f"round {number + 1}/{chosen.rounds}: {name}, {measure}: {took:.0f} s", file=sys.stderr)
            results.append(numbers)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()};", end=" ")
    print(f"obfuscation: {chosen.obfuscation}; inner MTU {MTU}; medians of {chosen.rounds} rounds")
    print(report.table({name: report.medians(results) for name, results in rounds.items()}))
    report.RESULTS.mkdir(exist_ok=True)
    saved = report.RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    saved.write_text(json.dumps({"arguments": vars(chosen), "rounds": rounds}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
