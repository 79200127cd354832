"""Standard streams that are closed, or cannot be written, when a command starts."""

import os
import subprocess
import sys

import pytest

from tests.config.texts import CLIENT


def run(command, redirections):
    """A command by a shell, which can start it with closed descriptors."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m awgproxy {command} {redirections}', sys.executable],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "redirections", "code", "told"),
    [
        ("genkey", ">&-", 1, ["error: Bad file descriptor"]),
        ("genkey", ">&- 2>&-", 1, []),
        ("genkey", "<&-", 0, []),
        ("check /nowhere", "2>&-", 2, []),
        ("client /nowhere", "2>&-", 2, []),
        ("client /nowhere", "<&- >&- 2>&-", 2, []),
    ],
)
def test_closed_streams_are_no_defects(command, redirections, code, told):
    finished = run(command, redirections)
    assert finished.returncode == code
    assert finished.stderr.splitlines() == told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_the_exit_code_tells_where_words_cannot():
    assert run("client /nowhere", "2>/dev/full").returncode == 2


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", r"\u041f\u043e\u0440\u0442"), ("utf-8", "Порт")])
def test_what_a_terminal_cannot_show_is_escaped(tmp_path, encoding, shown):
    path = tmp_path / "some.conf"
    path.write_text(CLIENT.replace("MTU", "Порт"), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "awgproxy", "check", path],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert finished.returncode == 2
    (told,) = finished.stdout.splitlines()
    assert f"[Interface] {shown}: is not known here" in told
