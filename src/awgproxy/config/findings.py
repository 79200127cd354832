"""What reading a file has found so far: errors, warnings, and the line of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awgproxy.config.lines import Lines
from awgproxy.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_PROBLEMS = 100
"""How many problems of one file are told one by one; the rest are only counted."""
MOST_ERRORS = 1000
"""How many errors of one file are looked for; with more it is no configuration, and reading it ends."""


@dataclass(slots=True)
class Findings:
    """The findings about one file.

    ``lines`` gives the line of everything that was read.
    """

    file: str
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)

    def error(
        self,
        line: int | None,
        section: str | None,
        key: str | None,
        message: str,
        suggestion: str | None = None,
    ) -> None:
        """Note something that cannot be used.

        Raises:
            ConfigError: with all errors so far, where they are more than `MOST_ERRORS`.
        """
        if len(self.errors) >= MOST_ERRORS:
            told = in_order(self.errors)[:MOST_PROBLEMS]
            raise ConfigError([*told, Problem(self.file, None, None, None, f"more than {MOST_ERRORS} problems")])
        self.errors.append(Problem(self.file, line, section, key, message, suggestion))

    def warning(
        self,
        line: int | None,
        section: str | None,
        key: str | None,
        message: str,
        suggestion: str | None = None,
    ) -> None:
        """Note something that can be used and should be known."""
        self.warnings.append(Problem(self.file, line, section, key, message, suggestion))

    def failure(self) -> ConfigError:
        """All errors as one exception, in the order of the file."""
        return ConfigError(in_order(self.errors))


def in_order(problems: Iterable[Problem]) -> Sequence[Problem]:
    """The problems by line, and no more than `MOST_PROBLEMS` of them: past that, one says how many more there are."""
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    more = len(ordered) - MOST_PROBLEMS
    if more <= 0:
        return ordered
    told = ordered[:MOST_PROBLEMS]
    return [*told, Problem(told[0].file, None, None, None, f"{more} more problems")]
