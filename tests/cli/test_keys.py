"""genkey, pubkey, genpsk: as wg has them."""

import base64
import subprocess
import sys

import pytest

from awgproxy import _native
from tests.config.texts import OWN_KEY

from .command import awgproxy


@pytest.mark.parametrize("command", ["genkey", "genpsk"])
def test_new_keys(command):
    first, second = (awgproxy(command) for _ in range(2))
    assert first.returncode == 0
    assert len(base64.b64decode(first.stdout, validate=False)) == 32
    assert first.stdout.endswith("\n")
    assert first.stdout != second.stdout


def test_genkey_into_pubkey():
    private = awgproxy("genkey").stdout
    finished = awgproxy("pubkey", stdin=private.encode())
    assert finished.stdout == _native.public_key(private.strip()) + "\n"
    assert finished.returncode == 0


@pytest.mark.parametrize(
    "given", [b"", b"\n", b"garbage", OWN_KEY[:-1].encode(), OWN_KEY.encode() * 2, b"\xff\x00" * 22, b"A" * 100_000]
)
def test_pubkey_refuses_garbage_in_one_line(given):
    finished = awgproxy("pubkey", stdin=given)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert len(finished.stderr.splitlines()) == 1
    assert OWN_KEY[:10] not in finished.stderr


def test_a_key_in_a_file_that_others_can_read_is_warned_of(tmp_path):
    for mode, warned in ((0o644, True), (0o600, False)):
        path = tmp_path / "key"
        path.touch()
        path.chmod(mode)
        with path.open("wb") as output:
            finished = subprocess.run(
                [sys.executable, "-m", "awgproxy", "genkey"], stdout=output, stderr=subprocess.PIPE, check=True
            )
        assert (b"umask 077" in finished.stderr) is warned
        assert len(path.read_text().strip()) == 44
