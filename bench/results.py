"""What was measured: a folder for a run, a JSON file for each case in it, so that a run can be taken up again.

.. code-block:: text

    bench/results/20261122-061411/run.json                    what the run is of
                                 /loopback/quic/bulk-1.json   one case: a measure of a system in a scenario, by round

None of it is kept in the repository.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.noise import Noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.measures import Numbers

RESULTS = Path(__file__).parent / "results"


class ResultsError(Exception):
    """There is no run to take up, or it was of something else; the text says which."""


@dataclass(frozen=True)
class Case:
    """One measure of one system in one scenario, in one round."""

    scenario: str
    system: str
    measure: str
    round: int

    @property
    def path(self) -> Path:
        """Its file in the run's folder."""
        return Path(self.scenario, self.system, f"{self.measure}-{self.round}.json")


@dataclass(frozen=True)
class Outcome:
    """What came of a case: numbers, or why there are none; how disturbed it was, and how often it was tried."""

    numbers: Mapping[str, float]
    noise: Noise = field(default_factory=Noise)
    tries: int = 1
    failure: str = ""


@dataclass(frozen=True)
class Run:
    """A run's folder and what it is of: the machine, the obfuscation, the length of a window."""

    folder: Path
    about: Mapping[str, Any]

    @classmethod
    def begin(cls, name: str, about: Mapping[str, Any], within: Path = RESULTS) -> Run:
        """A new run's folder."""
        folder = within / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(about, indent=1))
        return cls(folder, dict(about))

    @classmethod
    def latest(cls, within: Path = RESULTS) -> Run:
        """The run that was begun last. Raises ResultsError where there is none."""
        folders = sorted(file.parent for file in within.glob("*/run.json"))
        if not folders:
            raise ResultsError(f"there is no run in {within}")
        return cls(folders[-1], json.loads((folders[-1] / "run.json").read_text()))

    def require(self, about: Mapping[str, Any]) -> None:
        """Raise ResultsError if the run is not of this: numbers of two kinds have no common median."""
        for key, value in about.items():
            if self.about.get(key) != value:
                raise ResultsError(f"{self.folder.name} is of {key} = {self.about.get(key)}, not {value}")

    def done(self, case: Case) -> bool:
        """Whether that case has numbers; one that failed is to be tried again."""
        outcome = self.outcome(case)
        return outcome is not None and not outcome.failure

    def outcome(self, case: Case) -> Outcome | None:
        """What came of a case, if it was measured; a file that was cut short counts as none."""
        try:
            kept = json.loads((self.folder / case.path).read_text())
        except (OSError, ValueError):
            return None
        return Outcome(kept["numbers"], Noise(**kept["noise"]), kept["tries"], kept["failure"])

    def keep(self, case: Case, outcome: Outcome) -> None:
        """Write what came of a case: all of it or nothing."""
        path = self.folder / case.path
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dataclasses.asdict(outcome), indent=1))
        partial.rename(path)

    def outcomes(self) -> Iterator[tuple[Case, Outcome]]:
        """Everything that is there."""
        for path in sorted(self.folder.glob("*/*/*-*.json")):
            measure, number = path.stem.rsplit("-", 1)
            case = Case(path.parts[-3], path.parts[-2], measure, int(number))
            outcome = self.outcome(case)
            if outcome is not None:
                yield case, outcome


@dataclass(frozen=True)
class Summary:
    """Medians by scenario, system and figure; failures by scenario and system; the noise of what was kept."""

    medians: Mapping[str, Mapping[str, Numbers]]
    failures: Mapping[tuple[str, str], str]
    noises: Sequence[Noise]
    rounds: int

    def get(self, scenario: str, system: str, figure: str) -> float | None:
        """One figure's median, if it was measured."""
        return self.medians.get(scenario, {}).get(system, {}).get(figure)


def summary(run: Run) -> Summary:
    """A run's medians over its rounds."""
    every: dict[str, dict[str, dict[str, list[float]]]] = {}
    failures: dict[tuple[str, str], str] = {}
    noises = []
    rounds = 0
    for case, outcome in run.outcomes():
        rounds = max(rounds, case.round)
        if outcome.failure:
            failures[case.scenario, case.system] = f"{case.measure}: {outcome.failure}"
            continue
        noises.append(outcome.noise)
        figures = every.setdefault(case.scenario, {}).setdefault(case.system, {})
        for figure, value in outcome.numbers.items():
            figures.setdefault(figure, []).append(value)
    medians = {
        scenario: {
            system: _with_peaks({name: statistics.median(values) for name, values in figures.items()})
            for system, figures in systems.items()
        }
        for scenario, systems in every.items()
    }
    return Summary(medians, failures, noises, rounds)


def _with_peaks(figures: Numbers) -> Numbers:
    """The figures, and the larger of the peaks of memory of both directions, where both are there."""
    peaks: Numbers = {}
    for role in ("client", "server"):
        both = [figures.get(f"{direction}_8_peak_{role}_mb") for direction in ("down", "up")]
        if all(both):
            peaks[f"peak_8_{role}_mb"] = max(peak for peak in both if peak is not None)
    return figures | peaks
