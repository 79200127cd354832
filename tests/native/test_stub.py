"""The stub file is the extension's documented contract: it must say what is there, all of it and nothing else."""

import subprocess
import sys


def test_the_stub_agrees_with_the_extension():
    checked = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "awgproxy._native"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
