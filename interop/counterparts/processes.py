"""One process, started, awaited by what it says or does, and ended by its own number.

Programs of `interop/cmd` speak JSON lines on stdout (see `internal/lifetime`), awgproxy logs them on stderr; other
programs' lines are kept as text.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

Line = dict[str, Any]
KEPT_LINES = 10_000


class ProcessError(AssertionError):
    """A process ended, or did not do in time what was waited for; the text holds its last words."""


class Process:
    """A running program. A context manager: leaving it ends the program.

    `command` is run as it is, behind `inside` (e.g. `Namespace.inside`); `name` stands in errors. stdout and stderr are
    read all the time, so that no pipe ever fills.
    """

    def __init__(self, name: str, command: Sequence[str | Path], inside: Sequence[str] = ()) -> None:
        self.name = name
        self._changed = threading.Condition()
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self._words: deque[str] = deque(maxlen=200)
        self._process = subprocess.Popen(
            [*inside, *(str(part) for part in command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self._process.stdout, self._process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def _read(self, stream: Any) -> None:
        for text in stream:
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            with self._changed:
                self._words.append(text)
                if isinstance(line, dict):
                    self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def said(self, event: str) -> list[Line]:
        """Every line of that event that was printed and not yet taken by `wait_for`."""
        with self._changed:
            return [line for line in self._lines if line.get("event") == event]

    def wait_for(self, event: str, within: float = 60, where: Callable[[Line], bool] = lambda _: True) -> Line:
        """Take the next line of that event that fits `where`; raise ProcessError if none comes in `within` s."""
        deadline = time.monotonic() + within
        with self._changed:
            while True:
                for line in self._lines:
                    if line.get("event") == event and where(line):
                        self._lines.remove(line)
                        return line
                ended = not self.running and not any(reader.is_alive() for reader in self._readers)
                if ended or time.monotonic() > deadline:
                    raise ProcessError(self.report(f"no {event!r} within {within} s"))
                self._changed.wait(0.1)

    def wait_until(self, condition: Callable[[], bool], what: str, within: float = 60) -> None:
        """Wait for something outside the process to become true while it lives."""
        deadline = time.monotonic() + within
        while not condition():
            if not self.running or time.monotonic() > deadline:
                raise ProcessError(self.report(f"not {what} within {within} s"))
            time.sleep(0.005)

    def say(self, line: str) -> None:
        """Give it a line on stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def command(self, line: str, answer: str) -> Line:
        """Give a command on stdin and take the event that answers it."""
        self.say(line)
        return self.wait_for(answer)

    def wait(self, within: float = 60) -> int:
        """Wait for its end, which somebody else brings about; its exit code."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise ProcessError(self.report(f"no end within {within} s")) from None
        for reader in self._readers:
            reader.join(2)
        return code

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def report(self, problem: str) -> str:
        """What went wrong, with the program's last words."""
        state = "is running" if self.running else f"ended with {self._process.returncode}"
        with self._changed:
            return f"{self.name}: {problem}; it {state}\n" + "".join(list(self._words)[-30:])

    def stop(self, patience: float = 10) -> int:
        """End the program: stdin closes, SIGTERM, and SIGKILL after `patience` s. Return its exit code."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(2)
        return self._process.returncode

    def kill(self) -> None:
        """End the program as a power cut would."""
        self._process.kill()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
