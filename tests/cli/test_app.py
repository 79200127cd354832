"""Help, version, and what becomes of errors."""

import subprocess
import sys
from pathlib import Path

import pytest

from awgproxy.cli.failure import ends_in_words
from awgproxy.errors import ConfigError, Problem, TunnelError

from .command import awgproxy

COMMANDS = ("client", "server", "demo", "new", "check", "score", "genkey", "pubkey", "genpsk")


def test_help_names_every_command():
    finished = awgproxy("--help")
    assert finished.returncode == 0
    for command in COMMANDS:
        assert f"\n    {command} " in finished.stdout


def test_help_imports_nothing_heavy():
    """What makes help quick: none of these is needed for it."""
    program = (
        "import sys\nsys.argv = ['awgproxy', '--help']\nfrom awgproxy.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'structlog', 'dns', 'asyncio', 'awgproxy._native', 'awgproxy.config', 'awgproxy.session',"
        " 'rich.console', 'importlib.metadata'}\n"
        "print('imported:', sorted(heavy & sys.modules.keys()))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "imported: []"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    finished = awgproxy(command, "--help")
    assert finished.returncode == 0
    assert f"usage: awgproxy {command} " in finished.stdout


def test_the_version():
    finished = awgproxy("--version")
    assert finished.returncode == 0
    assert finished.stdout.startswith("awgproxy 0.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        (("check",), "the following arguments are required: FILE"),
        (("check", "a", "b", "c"), "unrecognized arguments: c"),
        (("new",), "the following arguments are required: --endpoint"),
        (("check", "a", "--frobnicate"), "unrecognized arguments: --frobnicate"),
        (("demo", "--megabytes", "0"), "--megabytes: 0 is not between 1 and 100000"),
        (("demo", "--megabytes", "many"), "--megabytes: invalid int value: 'many'"),
    ],
)
def test_misuse_ends_with_2_and_says_what_is_wrong(arguments, told):
    finished = awgproxy(*arguments)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert told in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (TunnelError("the port is in use"), 1, ["error: the port is in use"]),
        (FileNotFoundError(2, "No such file or directory", "x.conf"), 1, ["error: x.conf: No such file or directory"]),
        (OSError(28, "No space left on device"), 1, ["error: No space left on device"]),
        (
            ConfigError(
                [
                    Problem("x.conf", 3, "Peer", "Endpoint", "is bad", "do better"),
                    Problem("x.conf", None, None, None, "b"),
                ]
            ),
            2,
            ["error: x.conf:3: [Peer] Endpoint: is bad; do better", "error: x.conf: b"],
        ),
    ],
)
def test_errors_end_in_words(capsys, error, code, lines):
    with pytest.raises(SystemExit) as ended, ends_in_words():
        raise error
    assert ended.value.code == code
    assert capsys.readouterr().err.splitlines() == lines


def test_a_defect_shows_its_place_on_demand_only(capsys, monkeypatch):
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    with pytest.raises(SystemExit) as ended, ends_in_words():
        raise KeyError("a secret")
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "KeyError" in told
    assert "a secret" not in told
    monkeypatch.setenv("LOG_LEVEL", "debug")
    with pytest.raises(KeyError), ends_in_words():
        raise KeyError("a secret")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
def test_a_full_disk_is_an_error():
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "awgproxy", "genkey"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert finished.returncode == 1
    assert finished.stderr.startswith(b"error: ")
    assert b"Traceback" not in finished.stderr
