"""`python -m bench.recovery`: scene after scene, system by system; seconds away, medians, ratios and targets."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from math import isinf
from statistics import median

from bench.recovery.scenes import SCENES
from bench.recovery.systems import SYSTEMS
from bench.results import RESULTS
from bench.start import can_measure

TARGETS = {
    ("server restart, idle client, 100 ms", "new connection"): 1.0,
    ("server restart, idle client, 1 ms", "new connection"): 1.0,
    ("server restart, asked meanwhile", "new connection"): 6.0,
    ("outage of 30 s", "new connection"): 6.0,
    ("outage of 30 s", "download goes on"): 6.0,
    ("outage of 30 s", "upload goes on"): 6.0,
    ("outage of 150 s", "new connection"): 6.0,
    ("outage of 150 s", "download goes on"): 6.0,
    ("outage of 150 s", "upload goes on"): 6.0,
    ("another address", "gap in a conversation"): 0.3,
    ("another port", "gap in a conversation"): 0.3,
    ("another port, download", "gap in a download"): 0.3,
}
"""Seconds that awgproxy may take."""

Figures = dict[tuple[str, str], list[float]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each scene is played (default 3)")
    parser.add_argument("--only", action="append", choices=SYSTEMS, help="leave the other systems out; may repeat")
    parser.add_argument("--scene", action="append", choices=SCENES, help="leave the other scenes out; may repeat")
    return parser.parse_args()


def main() -> int:
    """Measure and print; 1 where nothing can be measured here."""
    chosen = arguments()
    if not can_measure(chosen.only or SYSTEMS):
        return 1
    figures: dict[str, Figures] = {name: {} for name in chosen.only or SYSTEMS}
    for number in range(chosen.rounds):
        for scene in chosen.scene or SCENES:
            delay, play = SCENES[scene]
            for name, taken in figures.items():
                begun = time.monotonic()
                with SYSTEMS[name](delay) as pair:
                    for what, seconds in play(pair).items():
                        taken.setdefault((scene, what), []).append(seconds)
                        print(f"round {number + 1}: {name}, {scene}: {what} {seconds:.2f} s", file=sys.stderr)
                print(f"  took {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; medians of {chosen.rounds} rounds"
    )
    print(table(figures))
    RESULTS.mkdir(exist_ok=True)
    named = {name: {": ".join(row): seconds for row, seconds in taken.items()} for name, taken in figures.items()}
    saved = RESULTS / f"recovery-{time.strftime('%Y%m%d-%H%M%S')}.json"
    saved.write_text(json.dumps({"arguments": vars(chosen), "seconds": named}, indent=1))
    return 0


def table(figures: dict[str, Figures]) -> str:
    """Markdown: seconds by scene and system, ours to the rival's, and the target."""
    rows = list(dict.fromkeys(row for taken in figures.values() for row in taken))
    both = "awgproxy" in figures and "rival" in figures
    head = ["scene", "until", *(f"{name}, s" for name in figures), *(["ratio"] if both else []), "to reach, s"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        middle = {name: median(taken[row]) if row in taken else float("nan") for name, taken in figures.items()}
        ratio = [f"{middle['awgproxy'] / middle['rival']:.3f}"] if both else []
        target = f"≤ {TARGETS[row]:g}" if row in TARGETS else "-"
        lines.append(
            [*row, *("lost" if isinf(seconds) else f"{seconds:.2f}" for seconds in middle.values()), *ratio, target]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
