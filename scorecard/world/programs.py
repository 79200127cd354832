"""The real program as a process that writes its log to a file: hundreds run at once."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import TYPE_CHECKING

from interop.counterparts import ends, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from interop.counterparts.namespaces import Namespace

PATIENCE = 60.0


class StartError(Exception):
    """A program did not start; the text holds its last words."""


class Program:
    """`awgproxy server` or `client` in a namespace, ended by its own number."""

    def __init__(self, role: str, file: Path, where: Namespace) -> None:
        self._log = file.with_suffix(".log")
        with self._log.open("ab") as log:
            command = [*where.inside, str(programs.awgproxy()), role, str(file), "--log-format", "json"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_for(self, ready: Callable[[int], bool]) -> None:
        """Return when `ready` says so of its number. Raises StartError."""
        deadline = time.monotonic() + PATIENCE
        while not ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise StartError(f"{self._log}:\n" + "\n".join(self._log.read_text().splitlines()[-10:]))
            time.sleep(0.1)

    def end(self) -> None:
        """Ask it to end. `ended` waits for that."""
        self._process.terminate()

    def ended(self) -> None:
        """Wait for its end, which somebody asked for; kill it where it takes too long."""
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def server(file: Path, port: int, where: Namespace) -> Iterator[Program]:
    """A server that holds its port; it has ended afterwards. Raises StartError."""
    program = Program("server", file, where)
    try:
        program.wait_for(lambda pid: ends.bound(pid, port))
        yield program
    finally:
        program.end()
        program.ended()
