"""``awgproxy server``: takes the connections of its peers out to the internet."""

from __future__ import annotations

from awgproxy.cli import lean
from awgproxy.cli.run_options import File, LogFormatOption, LogLevelOption, start_log


def server(file: File, log_format: LogFormatOption = None, log_level: LogLevelOption = None) -> None:
    """Run a server: its peers' connections go out."""
    lean.load_structlog()
    from awgproxy.cli.loop import run_session
    from awgproxy.config import Role, load
    from awgproxy.session.server import run

    config = load(file, Role.SERVER)
    start_log(config, log_level, log_format)
    run_session(run, config)
