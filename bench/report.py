"""Medians over the rounds as a table: a row a number, a column a system, then the ratio that matters and its target."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.measures import Numbers

RESULTS = Path(__file__).parent / "results"
"""Where what was measured is left; it is not kept in the repository."""

TARGETS = {
    "down_1_gbit": (">=", 1.8),
    "up_1_gbit": (">=", 3.5),
    "down_1_cpu_both": ("<=", 0.5),
    "up_1_cpu_both": ("<=", 0.5),
    "connections_per_second": (">=", 1.0),
    "bulk_rtt_p50_ms": ("<=", 0.2),
    "peak_client_mb": ("<=", 0.15),
}
"""What awgproxy's number divided by the rival's shall be."""

VERSION_3_TARGETS = {"down_1_gbit": (">=", 0.85)}
"""What awgproxy's number with AmneziaWG 3.x divided by that with 2.0 shall be."""

RIVAL_BEFORE = {
    "down_1_gbit": 1.3,
    "up_1_gbit": 0.56,
    "down_1_cpu_both": 10,
    "up_1_cpu_both": 24,
    "connections_per_second": 3200,
    "bulk_rtt_p50_ms": 15,
    "peak_client_mb": 1000,
}
"""What the rival made on another machine: two noisy cores, shared with the load. Its CPU seconds per GB depend on the
processor, the rest on the two together; a rival far below here would be one that we had built badly."""


def medians(rounds: Sequence[Numbers]) -> Numbers:
    """Each number's median over the rounds that have it."""
    names = dict.fromkeys(name for numbers in rounds for name in numbers)
    return {name: statistics.median(numbers[name] for numbers in rounds if name in numbers) for name in names}


def verdict(name: str, ratio: float, targets: Mapping[str, tuple[str, float]] = TARGETS) -> str:
    """The target of a number and whether the ratio meets it; empty where there is none."""
    if name not in targets:
        return ""
    sign, target = targets[name]
    met = ratio >= target if sign == ">=" else ratio <= target
    return f"{sign} {target:g} {'met' if met else 'MISSED'}"


def table(systems: Mapping[str, Numbers]) -> str:
    """The whole comparison as text."""
    names = list(dict.fromkeys(name for numbers in systems.values() for name in numbers))
    rows = [["", *systems, "ours/rival", "target", "rival before", "3.x/2.0", "target"]]
    for name in names:
        row = [name, *(_number(numbers.get(name)) for numbers in systems.values())]
        row += _ratio(systems, name, ("awgproxy", "rival"), TARGETS)
        row.append(_number(RIVAL_BEFORE.get(name)))
        rows.append(row + _ratio(systems, name, ("3.x", "2.0"), VERSION_3_TARGETS))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _ratio(
    systems: Mapping[str, Numbers], name: str, pair: tuple[str, str], targets: Mapping[str, tuple[str, float]]
) -> list[str]:
    """One system's number divided by another's, and the verdict; empty where one of them has none."""
    ours, other = (systems.get(system, {}).get(name) for system in pair)
    if ours is None or not other or name.endswith("_percent"):
        return ["", ""]
    return [_number(ours / other), verdict(name, ours / other, targets)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
