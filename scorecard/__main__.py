"""`python -m scorecard`: every profile at once, all tests, and the page; `--short` only judges.

The exit code is 1 where a profile breaks a promise or a control was not found, 2 where nothing could be measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import programs
from scorecard import verdicts
from scorecard.profiles import PROFILES
from scorecard.report import page, table
from scorecard.report.shapes import Shapes
from scorecard.world.recording import Plan, record

if TYPE_CHECKING:
    from scorecard.verdicts import Card

LONG = Plan(pairs=6, clients=17, seconds=250)
SHORT = Plan(pairs=2, clients=10, seconds=165)
"""Long enough for one rekey after 120 s, or two, and for keepalives after 25 s: no timer is shortened."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scorecard", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer flows, five minutes; judge, and write no page")
    parser.add_argument("--only", action="append", choices=PROFILES, help="leave other profiles out; may repeat")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep captures and configurations (they hold keys)")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and write the page of a whole long run."""
    chosen = arguments()
    signal.signal(signal.SIGTERM, _end_all)
    if sys.platform != "linux" or os.geteuid() != 0:
        print("the scorecard needs Linux and root: it makes network namespaces", file=sys.stderr)
        return 2
    try:
        programs.awgproxy()
        versions = page.versions()
    except (programs.MissingToolError, page.MissingEngineError) as missing:
        print(missing, file=sys.stderr)
        return 2
    plan = SHORT if chosen.short else LONG
    names = chosen.only or [*PROFILES]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scorecard-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(len(names), initializer=_end_in_order) as runs:
            results = [*runs.map(_run, names, [plan] * len(names), [folder] * len(names))]
    cards = [card for card, _ in results]
    print(table.text(cards))
    print(f"{', '.join(f'{name} {version}' for name, version in versions.items())}; {time.monotonic() - begun:.0f} s")
    failures = verdicts.failures(cards)
    for failure in failures:
        print(failure, file=sys.stderr)
    if not chosen.short and not chosen.only:
        page.write(cards, [shapes for _, shapes in results], plan, versions)
    return 1 if failures else 0


def _run(name: str, plan: Plan, folder: Path) -> tuple[Card, Shapes]:
    recording = record(PROFILES[name], plan, folder)
    print(f"{name}: {len(recording.flows)} flows are captured", file=sys.stderr, flush=True)
    return verdicts.judge(recording), Shapes.of(recording)


def _end_in_order() -> None:
    """Namespaces are removed on the way out, whatever the way."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _end_all(*_: object) -> None:
    for run in multiprocessing.active_children():
        run.terminate()
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
