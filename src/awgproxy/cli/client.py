"""``awgproxy client``: brings the tunnel up and serves applications."""

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
    add_run_options(command(commands, client))


def client(file: Path, log_format: str | None, log_level: str | None) -> None:
    """Run a client: SOCKS5, HTTP and port forwards into the tunnel."""
    lean.load_structlog()
    from awgproxy.cli.loop import run_session
    from awgproxy.config import Role, load
    from awgproxy.session.client import run

    config = load(file, Role.CLIENT)
    start_log(config, log_level, log_format)
    run_session(run, config)
