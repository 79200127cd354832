"""The page `docs/speed.md` with its pictures, and README's section: what is kept in the repository of a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from bench.report import tables
from bench.systems import OURS, RIVALS, SYSTEMS
from bench.targets import verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Run, Summary

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "speed.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- made by make bench -->", "<!-- until here -->"

_TEMPLATE = Path(__file__).with_name("page.md")
_README_ROWS = (
    ("loopback", "one stream down, Gbit/s", "down_1_gbit"),
    ("loopback", "one stream up, Gbit/s", "up_1_gbit"),
    ("loopback", "CPU seconds per GB down, both ends", "down_1_cpu_both"),
    ("loopback", "CPU seconds per GB up, both ends", "up_1_cpu_both"),
    ("loopback", "connections per second", "connections_per_second"),
    ("loopback", "connect to first byte, ms", "first_byte_p50_ms"),
    ("loopback", "round trip beside a download, ms", "bulk_rtt_p50_ms"),
    ("loopback", "UDP echoes per second", "datagrams_per_second"),
    ("loopback", "client's peak memory, 8 streams, MB", "peak_8_client_mb"),
    ("50ms-0%", "500 Mbit/s, 50 ms: share, down", "down_1_share"),
    ("50ms-1%", "the same with 1 % loss", "down_1_share"),
    ("100ms-2%", "100 ms, 2 % loss", "down_1_share"),
    ("200ms-5%", "200 ms, 5 % loss", "down_1_share"),
    ("queue-1MB", "200 Mbit/s, 50 ms, 1 MB queue: share, down", "down_1_share"),
    ("queue-1MB", "added delay p95 beside a download, ms", "added_delay_p95_down_ms"),
)


def results_text(run: Run, summary: Summary) -> str:
    """Everything about a run: conditions, targets, figures, what is missing."""
    parts = [conditions(run, summary), tables.targets(verdicts(summary)), tables.scenarios(summary)]
    missing = tables.failures(summary)
    return "\n\n".join([*parts, *([missing] if missing else [])])


def conditions(run: Run, summary: Summary) -> str:
    """On what, when, how long, how disturbed."""
    about = run.about
    return (
        f"{about['machine']}; {about['when'][:10]}; obfuscation `{about['obfuscation']}`, inner MTU {about['mtu']}; "
        f"medians of up to {summary.rounds} rounds, windows of {about['seconds']:g} s. Noise: {tables.noise(summary)}."
    )


def publish(run: Run, summary: Summary, pictures: Sequence[Path]) -> None:
    """Write the page, its pictures and README's section anew. Raises OSError, ValueError."""
    for picture in pictures:
        shutil.copyfile(picture, _kept(picture))
    known = Template(_TEMPLATE.read_text())
    systems = "\n".join(f"- `{name}`: {kind.title}" for name, kind in SYSTEMS.items())
    text = known.substitute(systems=systems, pictures=_shown(pictures, ""), results=results_text(run, summary))
    PAGE.write_text(text)
    section = f"{readme_table(summary)}\n\n{conditions(run, summary)}\n\n{_shown(pictures, 'docs/')}"
    README.write_text(replaced(README.read_text(), section))


def _kept(picture: Path) -> Path:
    return PAGE.with_name(f"speed-{picture.name}")


def _shown(pictures: Sequence[Path], folder: str) -> str:
    return "\n".join(f"![{picture.stem}]({folder}{_kept(picture).name})" for picture in pictures)


def readme_table(summary: Summary) -> str:
    """The figures that say most, a column a system."""
    measured = {system for systems in summary.medians.values() for system in systems}
    systems = [name for name in SYSTEMS if name in measured and name in {*OURS - {"2.0", "3.x"}, *RIVALS, "direct"}]
    rows = [["", *systems]]
    for scenario, what, figure in _README_ROWS:
        values = [summary.get(scenario, system, figure) for system in systems]
        if any(value is not None for value in values):
            rows.append([what, *(tables.number(value) for value in values)])
    return tables.markdown(rows)


def replaced(text: str, section: str) -> str:
    """The text with what is between the marks exchanged. Raises ValueError where there are none."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"
