"""The pictures: what each system carries and costs on loopback, and what it makes of each link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.scenarios import LINKS
from bench.systems import OURS, SYSTEMS

if TYPE_CHECKING:
    from pathlib import Path

    from bench.results import Summary

LOOPBACK = "loopback.png"
LINKS_FILE = "links.png"

_PANELS = (
    ("one stream, Gbit/s", ("down_1_gbit", "up_1_gbit")),
    ("eight streams, Gbit/s", ("down_8_gbit", "up_8_gbit")),
    ("CPU seconds per GB, both ends", ("down_1_cpu_both", "up_1_cpu_both")),
    ("round trip beside a download, ms", ("bulk_rtt_p50_ms",)),
)
_SHADES = {"down": "#1f6f9f", "up": "#d08a2e"}
_LEFT_OUT = {"direct", "2.0", "3.x"}
"""Beside a direct connection the others would be all alike."""


def draw(summary: Summary, folder: Path) -> list[Path]:
    """Write a PNG for loopback and one for the links, as far as they were measured. Raises ImportError, OSError."""
    import matplotlib as mpl  # noqa: PLC0415 - large, and only `make bench` and the scorecard have it

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    made = []
    if "loopback" in summary.medians:
        made.append(_loopback(pyplot, summary, folder / LOOPBACK))
    if any(name in summary.medians for name in LINKS):
        made.append(_links(pyplot, summary, folder / LINKS_FILE))
    return made


def _loopback(pyplot: Any, summary: Summary, file: Path) -> Path:
    medians = summary.medians["loopback"]
    figure, axes = pyplot.subplots(1, len(_PANELS), figsize=(14, 3.4), layout="constrained")
    for panel, (title, figures) in zip(axes, _PANELS, strict=True):
        systems = [
            name for name in SYSTEMS if name in medians and name not in _LEFT_OUT and figures[0] in medians[name]
        ]
        height = 0.8 / len(figures)
        for index, name in enumerate(figures):
            direction = name.split("_")[0]
            places = [row + index * height for row in range(len(systems))]
            values = [medians[system].get(name, 0) for system in systems]
            label = direction if len(figures) > 1 else None
            panel.barh(places, values, height=height, color=_SHADES.get(direction, "#1f6f9f"), label=label)
        _name_rows(panel, systems, 0.4 - height / 2)
        panel.set_title(title, fontsize="medium")
        if len(figures) > 1:
            panel.legend(fontsize="small")
    return _save(pyplot, figure, file)


def _links(pyplot: Any, summary: Summary, file: Path) -> Path:
    names = [name for name in LINKS if name in summary.medians]
    figure, axes = pyplot.subplots(
        1, len(names), figsize=(3.1 * len(names) + 1, 3.4), layout="constrained", squeeze=False
    )
    for panel, scenario in zip(axes[0], names, strict=True):
        medians = summary.medians[scenario]
        systems = [name for name in SYSTEMS if "down_1_share" in medians.get(name, {})]
        for index, direction in enumerate(("down", "up")):
            values = [100 * medians[system].get(f"{direction}_1_share", 0) for system in systems]
            places = [row + index * 0.4 for row in range(len(systems))]
            panel.barh(places, values, height=0.4, color=_SHADES[direction], label=direction)
        _name_rows(panel, systems, 0.2)
        panel.set(xscale="log", xlim=(0.1, 120), xlabel="% of the link, one stream")
        panel.set_title(scenario, fontsize="medium")
    axes[0][0].legend(fontsize="small")
    return _save(pyplot, figure, file)


def _name_rows(panel: Any, systems: list[str], middle: float) -> None:
    panel.set_yticks([row + middle for row in range(len(systems))], systems)
    panel.invert_yaxis()
    for label, system in zip(panel.get_yticklabels(), systems, strict=True):
        label.set_fontweight("bold" if system in OURS else "normal")


def _save(pyplot: Any, figure: Any, file: Path) -> Path:
    figure.savefig(file, dpi=90)
    pyplot.close(figure)
    return file
