"""``awgproxy demo``: a server, a client and a transfer on this machine, for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.cli import lean
from awgproxy.cli.arguments import command, misused

if TYPE_CHECKING:
    from awgproxy.cli.arguments import Commands

DEMONSTRATION_MEBIBYTES = 1024
MOST_MEBIBYTES = 100_000


def declare(commands: Commands) -> None:
    """Its arguments."""
    command(commands, demo).add_argument(
        "--megabytes",
        type=int,
        metavar="N",
        default=DEMONSTRATION_MEBIBYTES,
        help="how much to transfer, in units of 1,048,576 bytes (%(default)s)",
    )


def demo(megabytes: int) -> None:
    """Show it all on this machine: configurations, two processes, the wire, a transfer."""
    from awgproxy.cli.demonstration.story import demonstrate

    if not 1 <= megabytes <= MOST_MEBIBYTES:
        misused("--megabytes", f"{megabytes} is not between 1 and {MOST_MEBIBYTES}")
    lean.started()

    def say(text: str) -> None:
        print(text, flush=True)

    if not demonstrate(megabytes << 20, say):
        raise SystemExit(1)
