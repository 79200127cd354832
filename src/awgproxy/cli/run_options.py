"""What ``client`` and ``server`` share: their arguments, and what they log before they start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from awgproxy.cli.arguments import misused

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from awgproxy.config import Config

_LEVELS_ELSEWHERE = {"verbose": "debug", "silent": "error"}
"""amneziawg-go's words for LOG_LEVEL."""


def add_run_options(parser: ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the configuration")
    parser.add_argument(
        "--log-format", metavar="FORMAT", help="auto, console or json; auto is console on a terminal, else json"
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        default=os.environ.get("LOG_LEVEL"),
        help="debug, info, warning or error, above [Log] Level and the variable LOG_LEVEL",
    )


def start_log(config: Config, level: str | None, form: str | None) -> None:
    """Set up logging, option before file; then log the configuration without its secrets, and its warnings."""
    import structlog

    from awgproxy.config.lint import check
    from awgproxy.config.model import LogFormat, LogLevel
    from awgproxy.config.summary import summary
    from awgproxy.config.values import InvalidValue, word
    from awgproxy.observe.log import configure

    try:
        chosen_level = config.log.level if not level else word(_LEVELS_ELSEWHERE.get(level.lower(), level), LogLevel)
        chosen_format = config.log.format if not form else word(form, LogFormat)
    except InvalidValue as error:
        misused("the log's level or format", f"{error}; {error.suggestion}")
    configure(chosen_level, chosen_format)
    log = structlog.get_logger()
    log.info("configuration read", **summary(config))
    for problem in check(config):
        log.warning("configuration", where=problem.where, what=problem.what)
