"""``awgproxy --version``."""

from __future__ import annotations

from typing import Annotated

import typer


def _show(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"awgproxy {version('awgproxy')}")
        raise typer.Exit


def version_option(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A proxy server and client joined by an AmneziaWG tunnel."""
