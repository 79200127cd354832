"""``awgproxy client``: brings the tunnel up and serves applications."""

from __future__ import annotations

from awgproxy.cli import lean
from awgproxy.cli.run_options import File, LogFormatOption, LogLevelOption, start_log


def client(file: File, log_format: LogFormatOption = None, log_level: LogLevelOption = None) -> None:
    """Run a client: SOCKS5, HTTP and port forwards into the tunnel."""
    lean.load_structlog()
    from awgproxy.cli.loop import run_session
    from awgproxy.config import Role, load
    from awgproxy.session.client import run

    config = load(file, Role.CLIENT)
    start_log(config, log_level, log_format)
    run_session(run, config)
