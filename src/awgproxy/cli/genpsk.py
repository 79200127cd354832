"""``awgproxy genpsk``: a preshared key on standard output, as ``wg genpsk`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.cli.arguments import command
from awgproxy.cli.secret_output import warn_if_readable

if TYPE_CHECKING:
    from awgproxy.cli.arguments import Commands


def declare(commands: Commands) -> None:
    """It has no arguments."""
    command(commands, genpsk)


def genpsk() -> None:
    """Make a new preshared key."""
    from awgproxy._native import generate_preshared_key

    warn_if_readable()
    print(generate_preshared_key())
