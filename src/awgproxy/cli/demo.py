"""``awgproxy demo``: a server, a client and a transfer on this machine, for real."""

from __future__ import annotations

from typing import Annotated

import typer

from awgproxy.cli import lean

DEMONSTRATION_MEBIBYTES = 1024


def demo(
    megabytes: Annotated[
        int, typer.Option("--megabytes", min=1, max=100_000, help="How much to transfer, in units of 1,048,576 bytes.")
    ] = DEMONSTRATION_MEBIBYTES,
) -> None:
    """Show it all on this machine: configurations, two processes, the wire, a transfer."""
    from awgproxy.cli.demonstration.story import demonstrate

    lean.started()

    def say(text: str) -> None:
        print(text, flush=True)

    if not demonstrate(megabytes << 20, say):
        raise typer.Exit(1)
