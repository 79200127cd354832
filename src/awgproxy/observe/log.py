"""Logs, by structlog, on standard error: lines for people on a terminal, JSON elsewhere.

An entry has a time (UTC), a level, an event in words and fields. Keys and payloads have no field; a session goes by its
random id. A standard error that cannot be written (a full disk, a closed pipe, a reader that has stopped reading) loses
entries, and stops nothing; how many were lost is logged when it can be written again. How often one event is logged has
a limit, see `flood`.
"""

from __future__ import annotations

import logging
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

from awgproxy.config.model import LogFormat, LogLevel
from awgproxy.observe.flood import FloodGuard

if TYPE_CHECKING:
    from structlog.typing import Processor

log = structlog.get_logger()

PATIENCE_SECONDS = 0.1
"""How long a slow reader of the log is waited for, once; until it reads again, entries are lost without waiting."""


class _Output:
    """Writes entries to a text stream; survives its failures, and does not wait for whoever reads it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, ValueError):
            self._descriptor = None
        self._broken = False  # the last line lacks its end
        self.lost = 0

    def msg(self, message: str) -> None:
        try:
            self._write(message + "\n")
        except (OSError, ValueError):
            self.lost += 1
            return
        if self.lost:
            lost, self.lost = self.lost, 0
            log.warning("entries of the log were lost, since it could not be written", entries=lost)

    def _write(self, line: str) -> None:
        if self._descriptor is None:
            self._stream.write(line)
            self._stream.flush()
            return
        data = (b"\n" if self._broken else b"") + line.encode(errors="backslashreplace")
        while data:
            # What is ready takes this much without waiting (pipe(7)).
            self._await_room(self._descriptor)
            data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
            self._broken = bool(data)

    def _await_room(self, descriptor: int) -> None:
        patience = 0 if self.lost else PATIENCE_SECONDS
        if not select.select([], [descriptor], [], patience)[1]:
            raise BlockingIOError

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = msg


def configure(level: LogLevel = LogLevel.INFO, form: LogFormat = LogFormat.AUTO, stream: TextIO | None = None) -> None:
    """Set up logging for the process.

    Entries below `level` are dropped. `stream`: standard error where None.
    """
    output = stream or sys.stderr
    on_terminal = output.isatty()
    renderer: Processor
    if form is LogFormat.CONSOLE or (form is LogFormat.AUTO and on_terminal):
        renderer = structlog.dev.ConsoleRenderer(colors=on_terminal, pad_event_to=32)
        time_format = "%H:%M:%S"
    else:
        renderer = structlog.processors.JSONRenderer()
        time_format = "iso"
    sink = _Output(output)
    structlog.configure(
        processors=[
            FloodGuard(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt=time_format, utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=True,
    )
