"""``awgproxy pubkey``: from a private key on standard input to its public key, as ``wg pubkey`` does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from awgproxy.cli.arguments import command

if TYPE_CHECKING:
    from awgproxy.cli.arguments import Commands

LONGEST_INPUT = 4096


def declare(commands: Commands) -> None:
    """It has no arguments."""
    command(commands, pubkey)


def pubkey() -> None:
    """Turn a private key on standard input into its public key."""
    from awgproxy._native import public_key
    from awgproxy.errors import AwgProxyError

    given = sys.stdin.buffer.read(LONGEST_INPUT)
    try:
        print(public_key(given.decode("ascii", "replace").strip()))
    except ValueError as error:
        raise AwgProxyError(f"standard input is not a private key: {error}") from None
