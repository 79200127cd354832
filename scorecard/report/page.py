"""docs/resistance.md, .json and .png: the prose is in `page.md`, the numbers are of the run."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts.programs import ROOT
from scorecard.catalogue import TESTS
from scorecard.engines import ndpi, nfstream, tshark
from scorecard.report import plot, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scorecard.report.shapes import Shapes
    from scorecard.verdicts import Card
    from scorecard.world.recording import Plan

PROSE = Path(__file__).with_name("page.md")
PAGE = ROOT / "docs" / "resistance.md"


class MissingEngineError(Exception):
    """An engine is not installed; the text is one line that names it and where to get it."""


def versions() -> dict[str, str]:
    """Of everything that judges, by name. Raises MissingEngineError."""
    try:
        metadata.version("matplotlib")
        return {
            "awgproxy": metadata.version("awgproxy"),
            "ndpiReader": ndpi.version(),
            "nfstream": nfstream.version(),
            "tshark": tshark.version(),
            "Linux": platform.release(),
        }
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingEngineError(f"{error}: `make system-packages` installs it") from None
    except metadata.PackageNotFoundError as error:
        raise MissingEngineError(f"{error.name} is not installed: run `make scorecard`") from None


def write(cards: Sequence[Card], shapes: Sequence[Shapes], plan: Plan, used: Mapping[str, str]) -> None:
    """Write all three."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    prose = PROSE.read_text()
    for name, text in {
        "date": date,
        "versions": ", ".join(f"{name} {version}" for name, version in used.items()),
        "flows": str(plan.pairs * plan.clients),
        "pairs": str(plan.pairs),
        "seconds": f"{plan.seconds:g}",
        "table": table.markdown(cards),
        "remarks": table.remarks(cards),
        "controls": _controls(),
    }.items():
        prose = prose.replace(f"{{{{{name}}}}}", text)
    PAGE.write_text(prose)
    plot.draw(shapes, PAGE.with_suffix(".png"))
    numbers = {
        "date": date,
        "versions": dict(used),
        "plan": dataclasses.asdict(plan),
        "profiles": {card.profile.name: _numbers(card) for card in cards},
    }
    PAGE.with_suffix(".json").write_text(json.dumps(numbers, indent=1) + "\n")


def _numbers(card: Card) -> dict[str, object]:
    tests = {}
    for test in TESTS:
        finding = card.findings[test.number]
        tests[test.number] = {
            "title": test.title,
            "counted": test.unit,
            **dataclasses.asdict(finding),
            "passed": test.passed(finding),
            "promised": test.number in card.profile.promised,
        }
    return {"flows": card.flows, "packets": card.packets, "tests": tests}


def _controls() -> str:
    return "\n".join(f"- {test.number}: {test.control_words}." for test in TESTS if test.control is not None)
