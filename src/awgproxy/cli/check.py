"""``awgproxy check``: everything that is wrong with a configuration, and what is better known about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CLEAN, WARNED, WRONG = 0, 1, 2


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A client's or a server's configuration.")],
) -> None:
    """Check a configuration.

    The exit code is 0 if it is clean, 1 if there are warnings only, 2 if there are errors.
    """
    from awgproxy.config import load
    from awgproxy.config.lint import check as lint
    from awgproxy.errors import ConfigError

    try:
        config = load(file)
    except ConfigError as error:
        for problem in error.problems:
            print(f"error: {problem}")
        raise typer.Exit(WRONG) from None
    warnings = lint(config)
    for problem in warnings:
        print(f"warning: {problem}")
    if not warnings:
        print(f"{file}: fine as a {config.role}'s configuration")
    raise typer.Exit(WARNED if warnings else CLEAN)
