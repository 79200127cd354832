"""The commands together, and what becomes of an error."""

from __future__ import annotations

import typer

from awgproxy.cli import check, client, demo, genkey, genpsk, new, pubkey, score, server, version
from awgproxy.cli.failure import ends_in_words
from awgproxy.cli.standard_streams import escape_what_cannot_be_encoded, replace_closed

app = typer.Typer(
    name="awgproxy",
    help="A proxy server and client joined by an AmneziaWG tunnel.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.callback()(version.version_option)
for command in (
    *(client.client, server.server, demo.demo),
    *(new.new, check.check, score.score),
    *(genkey.genkey, pubkey.pubkey, genpsk.genpsk),
):
    app.command()(command)


def run() -> None:
    """Run the command that the arguments name, and end the process."""
    replace_closed()
    escape_what_cannot_be_encoded()
    with ends_in_words():
        app(prog_name="awgproxy")
