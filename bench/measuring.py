"""Measures one case after another, again where it was disturbed, and keeps what came of each."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.measures import MEASURES
from bench.measures.place import Place
from bench.results import Case, Outcome
from bench.scenarios import SCENARIOS
from bench.systems import SYSTEMS
from interop.counterparts.namespaces import CommandError
from interop.counterparts.processes import ProcessError
from interop.counterparts.programs import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.results import Run
    from interop.counterparts.configuration import Tunnel

BULK_ONLY = frozenset({"2.0", "3.x"})
"""What is only there to be held against each other in bulk transfers on loopback."""
BULK = frozenset({"down-1", "up-1", "down-8", "up-8"})
LINK_ONLY = frozenset({"rival-bbr"})
"""What differs from another system on links alone."""


@dataclass(frozen=True)
class Choice:
    """Which cases a run is to have."""

    scenarios: Sequence[str]
    systems: Sequence[str]
    measures: Sequence[str]
    rounds: int

    def cases(self) -> Iterator[Case]:
        """Round after round, scenario after scenario, systems by turns."""
        for number in range(1, self.rounds + 1):
            for scenario in self.scenarios:
                link = SCENARIOS[scenario].link is not None
                for measure in self.measures:
                    for system in self.systems:
                        if (system in BULK_ONLY and (link or measure not in BULK)) or (
                            system in LINK_ONLY and not link
                        ):
                            continue
                        if MEASURES[measure].applies(link=link, direct=system == "direct"):
                            yield Case(scenario, system, measure, number)


def measure_all(run: Run, choice: Choice, tunnel: Tunnel, seconds: float, tries: int) -> None:
    """Measure every case that the run has no numbers of; what fails is kept as such, and the run goes on."""
    cases = [*choice.cases()]
    for index, case in enumerate(cases, 1):
        if run.done(case):
            continue
        begun = time.monotonic()
        outcome = undisturbed(functools.partial(once, case, tunnel, seconds), tries)
        run.keep(case, outcome)
        took = time.monotonic() - begun
        noise = f"{outcome.noise.stolen_percent:.0f} % stolen, {outcome.noise.others_percent:.0f} % others"
        said = outcome.failure.splitlines()[0] if outcome.failure else f"{noise}, tries: {outcome.tries}"
        print(f"{index}/{len(cases)} {case.path.with_suffix('')}: {took:.0f} s; {said}", file=sys.stderr, flush=True)


def undisturbed(measure: Callable[[], Outcome], tries: int) -> Outcome:
    """Measure until it was not disturbed, at most `tries` times; the least disturbed of all that did not fail."""
    outcomes = [measure()]
    while len(outcomes) < tries and (outcomes[-1].failure or outcomes[-1].noise.disturbs):
        outcomes.append(measure())
    return dataclasses.replace(min(outcomes, key=_rank), tries=len(outcomes))


def _rank(outcome: Outcome) -> tuple[bool, float]:
    return bool(outcome.failure), outcome.noise.badness


def once(case: Case, tunnel: Tunnel, seconds: float) -> Outcome:
    """Set one system up, measure it, and take it down."""
    scenario = SCENARIOS[case.scenario]
    try:
        with scenario.sides() as sides, SYSTEMS[case.system].run(tunnel, sides) as system:
            place = Place(system, scenario, seconds)
            numbers = MEASURES[case.measure].run(place)
    except (MissingToolError, subprocess.SubprocessError, CommandError, ProcessError, OSError) as failure:
        return Outcome({}, failure=str(failure) or type(failure).__name__)
    return Outcome(numbers, place.noise)
