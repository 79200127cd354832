"""``awgproxy demo``: a server, a client and a transfer on this machine, for real."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from types import FrameType

DEMONSTRATION_MEBIBYTES = 1024

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""What ends the demonstration beside Ctrl-C. By default they would leave its processes and its files with keys."""


def demo(
    megabytes: Annotated[
        int, typer.Option("--megabytes", min=1, max=100_000, help="How much to transfer, in units of 1,048,576 bytes.")
    ] = DEMONSTRATION_MEBIBYTES,
) -> None:
    """Show it all on this machine: configurations, two processes, the wire, a transfer."""
    from awgproxy.cli.demonstration.story import demonstrate

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)

    def say(text: str) -> None:
        print(text, flush=True)

    if not demonstrate(megabytes << 20, say):
        raise typer.Exit(1)


def _end(number: int, _frame: FrameType | None) -> None:
    """Unwind, so that everything is taken down; once, since that must not be interrupted."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
