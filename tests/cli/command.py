"""The command line as a process of its own, as a user runs it."""

import os
import subprocess
import sys


def awgproxy(*arguments, stdin=b"", **environment):
    """Run a command to its end; standard output and error are text."""
    return subprocess.run(
        [sys.executable, "-m", "awgproxy", *map(str, arguments)],
        input=stdin if isinstance(stdin, bytes) else stdin.encode(),
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "120", **environment},
    )


def words(finished):
    """What a process wrote on standard error, without a traceback in it."""
    text = finished.stderr.decode()
    assert "Traceback" not in text
    return text
