"""nDPI of a later version, within `nfstream`."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DISSECTIONS = 24
"""How many packets of a flow nDPI looks at: as many as ndpiReader takes of UDP."""


def version() -> str:
    """Of the package. Raises PackageNotFoundError."""
    return metadata.version("nfstream")


def labels(capture: Path, ports: Iterable[int]) -> dict[int, set[str]]:
    """What each flow was called; a flow that rested is several to nfstream. Raises ImportError."""
    from nfstream import NFStreamer  # noqa: PLC0415 - large, and only `make scorecard` has it

    found: dict[int, set[str]] = {port: set() for port in ports}
    for flow in NFStreamer(source=str(capture), n_dissections=DISSECTIONS, n_meters=1, statistical_analysis=False):
        if flow.application_is_guessed:
            continue
        for port in (flow.src_port, flow.dst_port):
            if port in found:
                found[port].add(flow.application_name)
    return found
