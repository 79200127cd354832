"""awgproxy's own programs as a user runs them, for the tests of the whole."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading

START_SECONDS = 20


class Awgproxy:
    """One `awgproxy` process, optionally inside a network namespace; its log is read as JSON."""

    def __init__(self, *arguments, namespace: str | None = None):
        prefix = ["ip", "netns", "exec", namespace] if namespace else []
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "awgproxy", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "LOG_LEVEL": "debug"},
        )
        self.lines: list[str] = []
        self._entries: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            try:
                self._entries.put(json.loads(line))
            except ValueError:
                continue
        self._entries.put(None)

    def wait_for(self, event: str, **fields):
        """The next entry with this event and these fields."""
        while True:
            entry = self._entries.get(timeout=START_SECONDS)
            assert entry is not None, f"ended before {event!r}:\n" + "\n".join(self.lines[-30:])
            if entry.get("event") == event and all(entry.get(name) == value for name, value in fields.items()):
                return entry

    def stop(self, number=signal.SIGTERM) -> int:
        """End it with a signal; its exit code. Nothing is ever written to its standard output."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(START_SECONDS)
        self._reader.join(START_SECONDS)
        self.process.stderr.close()
        if not self.process.stdout.closed:
            with self.process.stdout as output:
                assert output.read() == ""
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.stop()
