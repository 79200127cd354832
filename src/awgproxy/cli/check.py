"""``awgproxy check``: everything that is wrong with a configuration, and what is better known about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from awgproxy.cli.arguments import command

if TYPE_CHECKING:
    from awgproxy.cli.arguments import Commands
    from awgproxy.config import Config
    from awgproxy.errors import Problem

CLEAN, WARNED, WRONG = 0, 1, 2


def declare(commands: Commands) -> None:
    """Its arguments."""
    parser = command(commands, check)
    parser.add_argument("file", type=Path, metavar="FILE", help="a client's or a server's configuration")
    parser.add_argument(
        "other", type=Path, nargs="?", metavar="OTHER", help="the other end's, to hold the two against each other"
    )


def check(file: Path, other: Path | None) -> None:
    """Check a configuration, or both ends' and whether they fit together.

    The exit code is 0 if all is clean, 1 if there are warnings only, 2 if there are errors.
    """
    from awgproxy.config.lint import check as lint
    from awgproxy.config.lint import compare

    files = [file] if other is None else [file, other]
    configs = [config for config in map(_loaded, files) if config is not None]
    found = [problem for config in configs for problem in lint(config)]
    if len(configs) == 2:
        found += compare(*configs)
    for problem in found:
        _tell(problem, error=problem.grave)
    if len(configs) < len(files) or any(problem.grave for problem in found):
        raise SystemExit(WRONG)
    if found:
        raise SystemExit(WARNED)
    for config in configs:
        print(f"{config.file}: fine as a {config.role}'s configuration")
    if other is not None:
        print(f"{file} and {other} fit together")


def _loaded(file: Path) -> Config | None:
    """The configuration; None where it has errors, which have been told."""
    from awgproxy.config import load
    from awgproxy.errors import ConfigError

    try:
        return load(file)
    except ConfigError as error:
        for problem in error.problems:
            _tell(problem, error=True)
        return None


def _tell(problem: Problem, *, error: bool) -> None:
    print(f"{'error' if error else 'warning'}: {problem}")
