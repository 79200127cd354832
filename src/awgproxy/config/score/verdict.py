"""What a test comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Whether the configuration passes a test; ``not-static`` where a configuration alone does not tell."""

    PASSES = "passes"
    FAILS = "fails"
    NOT_STATIC = "not-static"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``keys``: those to change where it fails, those that it rests on else."""

    number: str
    test: str
    outcome: Outcome
    reason: str
    keys: tuple[str, ...] = ()
