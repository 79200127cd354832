"""The picture: by profile, how sizes and gaps are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scorecard.report.shapes import Shapes

BIN = 8
LARGEST = 1500
GAP_EDGES = [0.5 * 1.25**step for step in range(56)]
"""From half a millisecond to some minutes."""


def draw(every: Sequence[Shapes], file: Path) -> None:
    """Write a PNG with a row a profile. Raises ImportError, OSError."""
    import matplotlib as mpl  # noqa: PLC0415 - large, and only `make scorecard` has it

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, rows = pyplot.subplots(len(every), 2, figsize=(11, 2.6 * len(every)), squeeze=False, layout="constrained")
    for (sizes, gaps), shapes in zip(rows, every, strict=True):
        for name, counts in (("client", shapes.up), ("server", shapes.down)):
            bins = range(0, LARGEST + BIN, BIN)
            sizes.hist([*counts], bins=[*bins], weights=[*counts.values()], histtype="step", label=name)
        sizes.set(yscale="log", ylabel=f"{shapes.profile}: datagrams", xlim=(0, LARGEST))
        sizes.legend(loc="upper center", fontsize="small")
        gaps.hist([max(gap, 0.5) for gap in shapes.gaps], bins=GAP_EDGES, weights=[*shapes.gaps.values()])
        gaps.set(xscale="log", yscale="log")
    rows[-1][0].set_xlabel("UDP payload, bytes")
    rows[-1][1].set_xlabel("gap between datagrams of a flow, milliseconds")
    figure.savefig(file, dpi=90)
    pyplot.close(figure)
