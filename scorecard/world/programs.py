"""The real program as a process that writes its log to a file: hundreds run at once.

Each is forked from a process that has imported the program and done nothing else, and runs the command line's own entry
point: starting Python a hundred times would take longer than what is to be seen.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from typing import TYPE_CHECKING

from interop.counterparts import ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from interop.counterparts.namespaces import Namespace

PATIENCE = 60.0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        "scorecard.world.programs",
        *(f"awgproxy.{name}" for name in ("cli.app", "cli.loop", "config.lint", "session.client", "session.server")),
    ]
)


class StartError(Exception):
    """A program did not start; the text holds its last words."""


class Program:
    """`awgproxy server` or `client` in a namespace, ended by its own number."""

    def __init__(self, role: str, file: Path, where: Namespace) -> None:
        self._log = file.with_suffix(".log")
        self._process = _processes.Process(target=_run, args=(role, file, self._log, where))
        self._process.start()

    def wait_for(self, ready: Callable[[int], bool]) -> None:
        """Return when `ready` says so of its number. Raises StartError."""
        deadline = time.monotonic() + PATIENCE
        assert self._process.pid is not None
        while not ready(self._process.pid):
            if not self._process.is_alive() or time.monotonic() > deadline:
                raise StartError(f"{self._log}:\n" + "\n".join(self._log.read_text().splitlines()[-10:]))
            time.sleep(0.1)

    def end(self) -> None:
        """Ask it to end. `ended` waits for that."""
        self._process.terminate()

    def ended(self) -> None:
        """Wait for its end, which somebody asked for; kill it where it takes too long."""
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


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


def _run(role: str, file: Path, log: Path, where: Namespace) -> None:
    from awgproxy.cli import main  # noqa: PLC0415 - in the process that is to become the program

    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.argv = ["awgproxy", role, str(file), "--log-format", "json"]
    with where.entered():
        main()
