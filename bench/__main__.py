"""`python -m bench`: case after case, systems by turns, round after round; tables, targets and pictures at the end.

Everything is left in bench/results/, a folder a run, from which `--resume` goes on and `--publish` makes the page.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from bench.machine import Machine
from bench.measures import MEASURES
from bench.measuring import Choice, measure_all
from bench.noise import TRIES
from bench.report import page, plots
from bench.results import ResultsError, Run, summary
from bench.scenarios import SCENARIOS
from bench.start import can_measure
from bench.systems import SYSTEMS
from bench.systems.tunnels import MTU, OBFUSCATIONS
from interop.counterparts.configuration import Tunnel

if TYPE_CHECKING:
    from collections.abc import Sequence


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each system has its turn (default 3)")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="leave the others out; may repeat")
    parser.add_argument("--only", action="append", choices=SYSTEMS, help="leave the other systems out; may repeat")
    parser.add_argument("--measure", action="append", choices=MEASURES, help="leave the other measures out; may repeat")
    parser.add_argument("--seconds", type=float, default=4, help="length of each bulk window (default 4)")
    parser.add_argument("--tries", type=int, default=TRIES, help=f"of a disturbed case, at most (default {TRIES})")
    parser.add_argument("--obfuscation", choices=OBFUSCATIONS, default=next(iter(OBFUSCATIONS)), help="of every tunnel")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the latest run: only what it has no numbers of"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing: the tables of the latest run")
    parser.add_argument("--publish", action="store_true", help="write docs/speed.md and README's section anew")
    return parser.parse_args(words)


def main() -> int:
    """Measure and print; 1 where nothing can be measured here."""
    chosen = arguments()
    about = {
        "machine": str(Machine.this()),
        "obfuscation": chosen.obfuscation,
        "mtu": MTU,
        "seconds": chosen.seconds,
    }
    try:
        if chosen.report:
            run = Run.latest()
        else:
            if not can_measure(chosen.only or SYSTEMS):
                return 1
            run = _run(about, resume=chosen.resume)
            choice = Choice(
                chosen.scenario or [*SCENARIOS], chosen.only or [*SYSTEMS], chosen.measure or [*MEASURES], chosen.rounds
            )
            tunnel = Tunnel(obfuscation=OBFUSCATIONS[chosen.obfuscation], mtu=MTU)
            measure_all(run, choice, tunnel, chosen.seconds, chosen.tries)
    except ResultsError as error:
        print(error, file=sys.stderr)
        return 1
    return report(run, publish=chosen.publish)


def report(run: Run, *, publish: bool) -> int:
    """Print a run's tables, and leave them with the pictures in its folder; 1 where no picture can be drawn."""
    found = summary(run)
    text = page.results_text(run, found)
    print(text)
    (run.folder / "results.md").write_text(text + "\n")
    try:
        pictures = plots.draw(found, run.folder)
    except ImportError:
        print("matplotlib is missing, so there are no pictures: run `make .venv/.scorecard`", file=sys.stderr)
        return 1
    if publish:
        page.publish(run, found, pictures)
    return 0


def _run(about: dict[str, object], *, resume: bool) -> Run:
    if resume:
        run = Run.latest()
        run.require(about)
        return run
    return Run.begin(time.strftime("%Y%m%d-%H%M%S"), {**about, "when": time.strftime("%Y-%m-%d %H:%M:%S")})


if __name__ == "__main__":
    sys.exit(main())
