"""Tables in Markdown: the targets with their verdicts, and every figure by scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scenarios import SCENARIOS
from bench.systems import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.results import Summary
    from bench.targets import Verdict

SIGNS = {">=": "≥", "<=": "≤"}
_TIMES = "\N{MULTIPLICATION SIGN}"


def targets(verdicts: Iterable[Verdict]) -> str:
    """A row a target: both figures, their ratio, what it should be, and the verdict."""
    rows = [["scenario", "figure", "ours", "against", "theirs", "ratio", "to reach", ""]]
    for verdict in verdicts:
        target = verdict.target
        against = " / ".join(target.against) or "-"
        unit = {"ratio": _TIMES, "difference": " more", "itself": ""}[target.by] if target.against else ""
        word = verdict.word if verdict.word != "MISSED" else "**MISSED**"
        bound = f"{SIGNS[target.sign]} {target.bound:g}{unit}"
        figures = [number(verdict.ours), against, number(verdict.theirs), number(verdict.value)]
        rows.append([target.scenario, target.what, *figures, bound, word])
    return markdown(rows)


def scenario(summary: Summary, name: str) -> str:
    """A row a figure, a column a system."""
    systems = [system for system in SYSTEMS if system in summary.medians[name]]
    medians = summary.medians[name]
    figures = dict.fromkeys(figure for system in systems for figure in medians[system])
    rows = [["", *systems]]
    rows += [[figure, *(number(medians[system].get(figure)) for system in systems)] for figure in figures]
    return markdown(rows)


def scenarios(summary: Summary) -> str:
    """Every scenario that was measured, each under its title."""
    parts = [
        f"### `{name}`: {known.title}\n\n{scenario(summary, name)}"
        for name, known in SCENARIOS.items()
        if name in summary.medians
    ]
    return "\n\n".join(parts)


def failures(summary: Summary) -> str:
    """What could not be measured, and why: a line each; empty where there is nothing to say."""
    lines = (
        f"- `{system}` in `{where}` is missing: {' '.join(why.split())[:300]}"
        for (where, system), why in summary.failures.items()
    )
    return "\n".join(lines)


def noise(summary: Summary) -> str:
    """One sentence on how disturbed the run was."""
    if not summary.noises:
        return "nothing was measured"
    stolen = sorted(noise.stolen_percent for noise in summary.noises)
    others = sorted(noise.others_percent for noise in summary.noises)
    disturbed = sum(noise.disturbs for noise in summary.noises)
    return (
        f"the hypervisor stole {_middle(stolen):.1f} % of the CPU time (median; at worst {stolen[-1]:.1f} %), "
        f"other processes used {_middle(others):.1f} % (at worst {others[-1]:.1f} %); "
        f"{disturbed} of {len(stolen)} cases stayed beyond the bounds"
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None) -> str:
    """Three digits that count, or nothing."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def _middle(values: Sequence[float]) -> float:
    return values[len(values) // 2]
