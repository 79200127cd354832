"""A server or client process of the demonstration: started as a user would, watched by its log, ended by a signal."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

from awgproxy.errors import TunnelError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_TAIL_ENTRIES = 20


class Program:
    """`awgproxy COMMAND FILE` as a process of its own."""

    def __init__(self, command: str, file: Path) -> None:
        self.command = command
        self._process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "awgproxy", command, str(file), "--log-format", "json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._entries: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._tail: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        """Give the running program."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no process behind, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait_for(self, event: str) -> dict[str, Any]:
        """Wait until the log says `event`, and give that entry.

        Raises:
            TunnelError: it ended, or did not say so within `START_SECONDS`; with the end of its log.
        """
        while True:
            try:
                entry = self._entries.get(timeout=START_SECONDS)
            except queue.Empty:
                entry = None
            if entry is None:
                log = "\n".join(self._tail)
                raise TunnelError(f"the {self.command} did not get to `{event}`; its log ends with\n{log}")
            if entry.get("event") == event:
                return entry

    def stop(self) -> int:
        """Ask it to end as a user does, and give its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with self._process.stderr as lines:
            for line in lines:
                self._tail = [*self._tail[1 - _TAIL_ENTRIES :], line.rstrip()]
                try:
                    self._entries.put(json.loads(line))
                except ValueError:
                    continue
        self._entries.put(None)
