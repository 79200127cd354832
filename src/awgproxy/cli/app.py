"""The commands together, and what becomes of an error."""

from __future__ import annotations

import argparse

from awgproxy.cli import check, client, demo, genkey, genpsk, new, pubkey, score, server, version
from awgproxy.cli.arguments import run_chosen
from awgproxy.cli.failure import ends_in_words
from awgproxy.cli.standard_streams import escape_what_cannot_be_encoded, replace_closed

COMMANDS = (client, server, demo, new, check, score, genkey, pubkey, genpsk)


def parser() -> argparse.ArgumentParser:
    """What takes the command line apart."""
    made = argparse.ArgumentParser(
        prog="awgproxy", description="A proxy server and client joined by an AmneziaWG tunnel.", allow_abbrev=False
    )
    made.add_argument("--version", action=version.Version, help="show the version and exit")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for each in COMMANDS:
        each.declare(commands)
    return made


def run() -> None:
    """Run the command that the arguments name, and end the process."""
    replace_closed()
    escape_what_cannot_be_encoded()
    with ends_in_words():
        run_chosen(parser())
