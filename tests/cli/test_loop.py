"""A session for which there is no event loop."""

import errno
import os
import subprocess
import sys

import pytest

from tests.config.texts import CLIENT, SERVER


@pytest.mark.parametrize(("command", "text"), [("client", CLIENT), ("server", SERVER)])
def test_too_few_descriptors_are_one_line(tmp_path, command, text):
    """Of the five, three are the standard streams; the loop takes three."""
    file = tmp_path / "awg.conf"
    file.touch(mode=0o600)
    file.write_text(text)
    limited = ["/bin/sh", "-c", 'ulimit -n 5; exec "$@"', "sh", sys.executable, "-m", "awgproxy", command, file]
    finished = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    said = [line for line in finished.stderr.splitlines() if not line.startswith("{")]
    assert said == [f"error: {os.strerror(errno.EMFILE)}"]
