"""awgproxy new, and awgproxy check of what it made."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from awgproxy.config import Role, load

from .command import awgproxy


def test_the_files(tmp_path):
    finished = awgproxy("new", "--endpoint", "vpn.example.org:4433", "--directory", tmp_path / "made" / "here")
    assert finished.returncode == 0, finished.stderr
    server, client = (tmp_path / "made" / "here" / name for name in ("server.conf", "client.conf"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (server, client)} == {0o600}
    assert load(server, Role.SERVER).interface.listen_port == 4433
    assert str(load(client, Role.CLIENT).peers[0].endpoints[0]) == "vpn.example.org:4433"
    assert str(server) in finished.stdout
    assert str(client) in finished.stdout
    for file in (server, client):
        checked = awgproxy("check", file)
        assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_options(tmp_path):
    options = [
        "--address",
        "10.70.0.0/24",
        "--address",
        "fd70::/64",
        "--dns",
        "9.9.9.9",
        "--port",
        "5555",
        "--peers",
        "2",
    ]
    assert awgproxy("new", "--endpoint", "[2001:db8::1]:443", "-d", tmp_path, *options).returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["client1.conf", "client2.conf", "server.conf"]
    server, client = load(tmp_path / "server.conf"), load(tmp_path / "client2.conf")
    assert server.interface.listen_port == 5555
    assert [str(address) for address in server.server.dns] == ["9.9.9.9"]
    assert [str(address) for address in client.interface.addresses] == ["10.70.0.3/32", "fd70::3/128"]
    assert str(client.peers[0].endpoints[0]) == "[2001:db8::1]:443"


@pytest.mark.parametrize(
    ("profile", "has", "lacks"),
    [("awg3", "HeaderProtectionKey", None), ("AWG2", "I1", "HeaderProtectionKey"), ("plain", "MTU", "I1")],
)
def test_profiles(tmp_path, profile, has, lacks):
    finished = awgproxy("new", "--endpoint", "vpn.example.org", "--profile", profile, "-d", tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    for name in ("server.conf", "client.conf"):
        text = (tmp_path / name).read_text()
        assert f"{has} = " in text
        assert f"{lacks} = " not in text


@pytest.mark.parametrize(("endpoint", "doubtful"), [("vpn.example.org:4433", True), ("vpn.example.org:53", False)])
def test_a_signature_and_the_port_that_it_belongs_to(tmp_path, endpoint, doubtful):
    finished = awgproxy("new", "--endpoint", endpoint, "--signature", "dns", "-d", tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert ("Only at port 53 is dns recognised" in finished.stdout) is doubtful
    told = awgproxy("score", tmp_path / "client.conf").stdout
    assert ("change I1, Endpoint" in told) is doubtful


@pytest.mark.parametrize("existing", ["server.conf", "client.conf"])
def test_an_existing_file_is_left_alone(tmp_path, existing):
    (tmp_path / existing).write_text("mine")
    finished = awgproxy("new", "--endpoint", "vpn.example.org", "-d", tmp_path)
    assert finished.returncode == 1
    assert f"{existing} exists" in finished.stderr
    assert [file.name for file in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (["--endpoint", "not a host"], "--endpoint"),
        (["--endpoint", "a:0"], "--endpoint"),
        (["--endpoint", ""], "--endpoint"),
        (["--endpoint", "a", "--address", "10.0.0.0/31"], "--address"),
        (["--endpoint", "a", "--address", "ten"], "--address"),
        (["--endpoint", "a", "--address", "10.0.0.0/24", "--address", "10.0.0.0/24"], "--address"),
        (["--endpoint", "a", "--address", "10.0.0.0/8", "--address", "10.0.0.0/24"], "--address"),
        (["--endpoint", "a", "--address", "fd00::/64", "--address", "fd00::/48"], "--address"),
        (["--endpoint", "a", "--address", "127.0.0.0/8"], "--address"),
        (["--endpoint", "a", "--address", "224.0.0.0/24"], "--address"),
        (["--endpoint", "0.0.0.0"], "--endpoint"),
        (["--endpoint", "0.0.0.0:51820"], "--endpoint"),
        (["--endpoint", "255.255.255.255:51820"], "--endpoint"),
        (["--endpoint", "224.0.0.1"], "--endpoint"),
        (["--endpoint", "::"], "--endpoint"),
        (["--endpoint", "[::]:51820"], "--endpoint"),
        (["--endpoint", "[::ffff:0.0.0.0]:51820"], "--endpoint"),
        (["--endpoint", "ff02::1"], "--endpoint"),
        (["--endpoint", "a", "--port", "70000"], "--port"),
        (["--endpoint", "a", "--dns", "dns.example.org"], "--dns"),
        (["--endpoint", "a", "--peers", "0"], "--peers"),
        (["--endpoint", "a", "--profile", "awg4"], "--profile"),
        (["--endpoint", "a", "--signature", "http"], "--signature"),
        (["--endpoint", "a", "--profile", "plain", "--signature", "quic"], "--signature"),
    ],
)
def test_options_that_are_refused(tmp_path, arguments, about):
    finished = awgproxy("new", *arguments, "-d", tmp_path)
    assert finished.returncode == 2
    assert about in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    finished = awgproxy("new", "--endpoint", "a", "-d", tmp_path / "file" / "below")
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: ")


def test_a_file_that_cannot_be_written_is_named_and_none_is_left(tmp_path):
    directory = tmp_path / "made"
    options = ["new", "--endpoint", "a", "-d", str(directory)]
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-B", "-m", "awgproxy", *options]
    finished = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr == f"error: {directory / 'server.conf'}: {os.strerror(errno.EFBIG)}\n"
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_file_that_does_not_get_to_the_disk_is_named_and_none_is_left(tmp_path, monkeypatch, number):
    names = ["server.conf", "client.conf"]
    synced = iter(range(2))

    def full(_):
        if next(synced) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    finished = awgproxy("new", "--endpoint", "a", "-d", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr == f"error: {tmp_path / names[number]}: {os.strerror(errno.ENOSPC)}\n"
    assert list(tmp_path.iterdir()) == []
