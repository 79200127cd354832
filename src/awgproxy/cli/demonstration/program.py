"""A server or client process of the demonstration: started as a user would, watched by its log, ended by a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Self

from awgproxy.errors import TunnelError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_TAIL_LINES = 20


class Program:
    """`awgproxy COMMAND FILE` as a process of its own, from entering it to leaving it."""

    def __init__(self, command: str, file: Path) -> None:
        self.command = command
        self._file = file
        self._changed = threading.Condition()
        self._events: set[str] = set()
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "awgproxy", self.command, str(self._file), "--log-format", "json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        try:
            self._reader.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no process behind, whatever happened."""
        self._end()
        self._reader.join(STOP_SECONDS)  # a signal may have come where it left the lock taken

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait_for(self, event: str) -> None:
        """Wait until the log has said `event`.

        Raises:
            TunnelError: it ended, or did not say so within `START_SECONDS`; with the end of its log.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or event in self._events, START_SECONDS)
            said = event in self._events
        if not said:
            raise self._failed(f"did not get to `{event}`")

    def stop(self) -> int:
        """Ask it to end as a user does, and give its exit code.

        Raises:
            TunnelError: it did not end within `STOP_SECONDS`; with the end of its log.
        """
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise self._failed(f"did not end within {STOP_SECONDS:.0f} s") from None

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _failed(self, what: str) -> TunnelError:
        with self._changed:
            log = "\n".join(self._tail)
        return TunnelError(f"the {self.command} {what}; its log ends with\n{log}")

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with self._process.stderr as lines:
            for line in lines:
                with self._changed:
                    self._tail.append(line.rstrip())
                    self._events.add(_event(line))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _event(line: str) -> str:
    """What an entry of the log is about; nothing where a line is none."""
    try:
        return str(json.loads(line)["event"])
    except (ValueError, TypeError, KeyError):
        return ""
