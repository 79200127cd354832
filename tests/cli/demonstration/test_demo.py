"""The demonstration as `make demo` runs it, with less to transfer."""

import hashlib
import os
import signal
import socket
import subprocess
import sys

import pytest

from awgproxy.cli.demonstration.relay import Seen
from awgproxy.cli.demonstration.story import roles
from awgproxy.cli.demonstration.target import BLOCK_BYTES, Target

OBFUSCATION = [("Jc", "2"), ("Jmin", "5"), ("Jmax", "9"), ("S1", "3"), ("I1", "<r 20>"), ("H1", "77"), ("H4", "99")]


def start(folder, *arguments, program=("-m", "awgproxy"), **environment):
    """Start the demonstration in a process group of its own, its temporary files in `folder`."""
    return subprocess.Popen(
        [sys.executable, *program, "demo", *arguments],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder, *arguments, **how):
    process = start(folder, *arguments, **how)
    output, errors = process.communicate(timeout=100)
    return process, output, errors


def assert_nothing_is_left(process, folder):
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert list(folder.iterdir()) == []


def test_it_shows_every_step_ends_well_and_leaves_nothing_behind(tmp_path):
    process, output, errors = run(tmp_path, "--megabytes", "16")
    assert process.returncode == 0, output + errors
    assert errors == ""
    for shown in ("server.conf", "client.conf", "the tunnel is up", "they agree", "17 MB", "For real:"):
        assert shown in output, output
    for role in ("signature", "junk", "initiation", "response", "data"):
        assert f"bytes  {role}\n" in output, output
    assert "PrivateKey = (hidden)" in output
    assert "HeaderProtectionKey = (hidden)" in output
    assert_nothing_is_left(process, tmp_path)


@pytest.fixture
def hang_ups_are_heard():
    """What started the tests may ignore SIGHUP (`nohup` does), and its children would, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_ups_are_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demonstration_that_is_ended_leaves_nothing_behind(tmp_path, number):
    process = start(tmp_path, "--megabytes", "100000")
    try:
        shown = ""
        while "the tunnel is up" not in shown:
            shown = process.stdout.readline()
            assert shown, process.stderr.read()
        process.send_signal(number)
        _, errors = process.communicate(timeout=100)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert (process.returncode, errors) == (128 + number, "")
    assert_nothing_is_left(process, tmp_path)


SIGNALLED_WHILE_REMOVING = """
import os, shutil, signal
from awgproxy.cli import main

unlink = os.unlink

def signalled(path, **options):
    if str(path).endswith(".conf"):
        print("a file is removed", flush=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
    unlink(path, **options)

os.unlink = signalled
main()
"""


@pytest.mark.usefixtures("hang_ups_are_heard")
def test_signals_while_the_folder_is_removed_are_passed_over(tmp_path):
    process, output, errors = run(tmp_path, "--megabytes", "1", program=("-c", SIGNALLED_WHILE_REMOVING))
    assert (process.returncode, errors) == (0, "")
    assert_nothing_is_left(process, tmp_path)
    assert output.rindex("a file is removed") < output.index("nothing is left behind")


SIGNALLED_WHILE_STARTING = """
import os, signal, subprocess
from awgproxy.cli import main

class Signalled(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)

subprocess.Popen = Signalled
main()
"""


def test_a_signal_while_a_process_starts_leaves_none_behind(tmp_path):
    process, output, errors = run(tmp_path, "--megabytes", "1", program=("-c", SIGNALLED_WHILE_STARTING))
    assert (process.returncode, errors) == (128 + signal.SIGTERM, "")
    assert "process " not in output
    assert_nothing_is_left(process, tmp_path)


def test_a_demonstration_that_fails_says_so_and_leaves_nothing_behind(tmp_path):
    process, _, errors = run(tmp_path, "--megabytes", "1", LOG_LEVEL="loud")
    assert process.returncode == 1
    assert "the server did not get to `server is ready`" in errors
    assert "Traceback" not in errors
    assert_nothing_is_left(process, tmp_path)


def test_roles_of_datagrams():
    def message(kind, size, padding=0):
        return Seen(True, bytes(padding) + kind.to_bytes(4, "little") + bytes(size - 4))

    datagrams = [
        Seen(True, bytes(20)),
        Seen(True, bytes(6)),
        Seen(True, bytes(8)),
        message(77, 148, padding=3),
        Seen(False, (2).to_bytes(4, "little") + bytes(88)),
        message(99, 48),
    ]
    assert roles(datagrams, OBFUSCATION) == ["signature", "junk", "junk", "initiation", "response", "data"]
    assert roles(datagrams[:1], []) == ["junk"]
    looks_like_data = message(99, 60)
    assert roles([Seen(True, bytes(20)), looks_like_data, *datagrams[3:]], OBFUSCATION)[:3] == [
        "signature",
        "junk",
        "initiation",
    ]


def test_the_target_sends_what_its_checksum_says():
    target = Target(2 * BLOCK_BYTES)
    target.start()
    digest, size = hashlib.sha256(), 0
    with socket.create_connection(target.address) as connection:
        while data := connection.recv(1 << 16):
            digest.update(data)
            size += len(data)
    target.stop()
    assert size == 2 * BLOCK_BYTES
    assert digest.hexdigest() == target.checksum()
