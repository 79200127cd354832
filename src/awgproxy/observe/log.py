"""Logs, by structlog, on standard error: lines for people on a terminal, JSON elsewhere.

An entry has a time (UTC), a level, an event in words and fields. Keys and payloads have no field; a session goes by its
random id. A standard error that cannot be written (a full disk, a closed pipe) loses entries, counts them, and stops
nothing.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

FORMATS = ("auto", "console", "json")
LEVELS = ("debug", "info", "warning", "error")


class _Output:
    """Writes entries to a text stream and survives its failures."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def msg(self, message: str) -> None:
        try:
            self._stream.write(message + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.lost += 1

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = msg


def configure(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Set up logging for the process.

    `level`: one of `LEVELS`, anything below is dropped. `form`: one of `FORMATS`; `auto` is `console` on a terminal.
    `stream`: standard error where None.

    Raises:
        ValueError: an unknown level or format.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"log level {level!r}: one of {', '.join(LEVELS)}")
    if form not in FORMATS:
        raise ValueError(f"log format {form!r}: one of {', '.join(FORMATS)}")
    output = stream or sys.stderr
    on_terminal = output.isatty()
    renderer: Processor
    if form == "console" or (form == "auto" and on_terminal):
        renderer = structlog.dev.ConsoleRenderer(colors=on_terminal, pad_event_to=32)
        time_format = "%H:%M:%S"
    else:
        renderer = structlog.processors.JSONRenderer()
        time_format = "iso"
    sink = _Output(output)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt=time_format, utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=True,
    )
