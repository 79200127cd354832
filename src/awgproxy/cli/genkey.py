"""``awgproxy genkey``: a private key on standard output, as ``wg genkey`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.cli.arguments import command
from awgproxy.cli.secret_output import warn_if_readable

if TYPE_CHECKING:
    from awgproxy.cli.arguments import Commands


def declare(commands: Commands) -> None:
    """It has no arguments."""
    command(commands, genkey)


def genkey() -> None:
    """Make a new private key."""
    from awgproxy._native import generate_private_key

    warn_if_readable()
    print(generate_private_key())
