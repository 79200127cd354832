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
    from awgproxy.config import load, role_of
    from awgproxy.config.lint import check as lint
    from awgproxy.config.roles import problems_as
    from awgproxy.errors import ConfigError

    try:
        config = load(file)
    except ConfigError as error:
        for problem in error.problems:
            print(f"error: {problem}")
        raise typer.Exit(WRONG) from None
    role = role_of(config)
    errors, warnings = problems_as(role, config), lint(config)
    for problem in errors:
        print(f"error: {problem}")
    for problem in warnings:
        print(f"warning: {problem}")
    if not errors and not warnings:
        print(f"{file}: fine as a {role}'s configuration")
    raise typer.Exit(WRONG if errors else WARNED if warnings else CLEAN)
