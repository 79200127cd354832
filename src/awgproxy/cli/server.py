"""``awgproxy server``: takes the connections of its peers out to the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.cli import lean
from awgproxy.cli.arguments import command
from awgproxy.cli.run_options import add_run_options, start_log

if TYPE_CHECKING:
    from pathlib import Path

    from awgproxy.cli.arguments import Commands


def declare(commands: Commands) -> None:
    """Its arguments."""
    add_run_options(command(commands, server))


def server(file: Path, log_format: str | None, log_level: str | None) -> None:
    """Run a server: its peers' connections go out."""
    lean.load_structlog()
    from awgproxy.cli.loop import run_session
    from awgproxy.config import Role, load
    from awgproxy.session.server import run

    config = load(file, Role.SERVER)
    start_log(config, log_level, log_format)
    run_session(run, config)
