"""The peers' last handshakes on disk: what is kept, and what becomes of a file that cannot be used."""

import asyncio
import json
import os
import stat

import pytest

from awgproxy._native import InitiationAccepted
from awgproxy.session import timestamps
from awgproxy.session.state_file import LARGEST_FILE, StateFile
from awgproxy.session.timestamps import LastTimestamps
from tests.config.texts import OTHER_KEY, PEER_KEY
from tests.session.running import named

EARLY, LATE = bytes.fromhex("400000006724eb5100000000"), bytes.fromhex("400000006724eb5101000000")
PATIENCE = 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "server.conf.state"


def opened(path, peers=(PEER_KEY, OTHER_KEY)):
    return LastTimestamps(path, peers)


def accept(kept, timestamp, peer=PEER_KEY):
    kept.handlers[InitiationAccepted](InitiationAccepted(peer, timestamp))


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it is of the disk
            await asyncio.sleep(0.005)


async def test_what_was_accepted_is_known_after_a_restart(path):
    with opened(path) as kept:
        assert kept.known == {}
        accept(kept, EARLY)
        accept(kept, LATE, OTHER_KEY)
    assert opened(path).known == {PEER_KEY: EARLY, OTHER_KEY: LATE}


async def test_it_is_on_disk_while_the_server_runs(path):
    with opened(path) as kept:
        accept(kept, EARLY)
        await until(lambda: opened(path).known == {PEER_KEY: EARLY})
        accept(kept, LATE)
        await until(lambda: opened(path).known == {PEER_KEY: LATE})


async def test_many_changes_are_few_writes(path, monkeypatch):
    writes = []
    monkeypatch.setattr(timestamps, "PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(StateFile, "replace", lambda _, text: writes.append(text))
    with opened(path) as kept:
        for number in range(1000):
            accept(kept, number.to_bytes(12, "big"))
            await asyncio.sleep(0)
    assert len(writes) <= 2
    assert (999).to_bytes(12, "big").hex() in writes[-1]


async def test_nothing_accepted_writes_nothing(path):
    with opened(path):
        await asyncio.sleep(0)
    assert not path.exists()


async def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(path):
    leftover = path.with_name(f"{path.name}.new")
    leftover.write_text("half a wri")
    leftover.chmod(0o644)
    with opened(path) as kept:
        accept(kept, EARLY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


async def test_an_earlier_one_never_replaces_a_later_one(path):
    with opened(path) as kept:
        accept(kept, LATE)
        accept(kept, EARLY)
        assert kept.known == {PEER_KEY: LATE}


async def test_peers_that_are_no_more_are_forgotten(path):
    with opened(path) as kept:
        accept(kept, EARLY)
        accept(kept, LATE, OTHER_KEY)
    with opened(path, [PEER_KEY]) as kept:
        assert kept.known == {PEER_KEY: EARLY}
        accept(kept, LATE, OTHER_KEY)
        accept(kept, LATE)
    assert json.loads(path.read_text()) == {"timestamps": {PEER_KEY: LATE.hex()}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"timestamps": ',
        b'{"timestamps": 5}',
        b'{"timestamps": {"x": 5}}',
        b'{"timestamps": {"x": "00"}}',
        b'{"timestamps": {"x": "' + b"Z" * 24 + b'"}}',
    ],
)
async def test_a_damaged_file_is_as_none_and_is_warned_of(path, content, entries):
    path.write_bytes(content)
    with opened(path) as kept:
        assert kept.known == {}
        accept(kept, EARLY)
    (entry,) = named(entries, "the peers' last handshakes cannot be read")
    assert entry["log_level"] == "warning"
    assert opened(path).known == {PEER_KEY: EARLY}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b" " * (LARGEST_FILE + 1),
        b"somebody's diary",
    ],
)
async def test_a_file_of_something_else_is_warned_of_and_left_as_it_is(path, content, entries):
    path.write_bytes(content)
    with opened(path) as kept:
        assert kept.known == {}
        accept(kept, EARLY)
    assert named(entries, "the peers' last handshakes cannot be read")
    assert named(entries, "the peers' last handshakes cannot be kept")
    assert path.read_bytes() == content


def test_a_pipe_in_its_place_does_not_stop_the_server(path, entries):
    os.mkfifo(path)
    assert opened(path).known == {}
    assert named(entries, "the peers' last handshakes cannot be read")


async def test_a_file_that_cannot_be_written_is_one_warning(tmp_path, entries, monkeypatch):
    monkeypatch.setattr(timestamps, "PAUSE_SECONDS", 0.0)
    path = tmp_path / "absent" / "state"
    tries = []
    replace = StateFile.replace
    monkeypatch.setattr(StateFile, "replace", lambda *args: (tries.append(1), replace(*args)))
    with opened(path) as kept:
        for number in range(1, 4):
            accept(kept, bytes([number]) * 12)
            await until(lambda number=number: len(tries) >= number)
    (entry,) = named(entries, "the peers' last handshakes cannot be kept")
    assert (entry["log_level"], entry["file"]) == ("warning", str(path))
    assert "StateFile" in entry["hint"]
    assert kept.known == {PEER_KEY: bytes([3]) * 12}


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/null")])
async def test_what_is_no_file_is_not_replaced(path, entries, make):
    make(path)
    before = path.lstat()
    with opened(path) as kept:
        accept(kept, EARLY)
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert list(path.parent.iterdir()) == [path]
    (entry,) = named(entries, "the peers' last handshakes cannot be kept")
    assert entry["reason"] == "it is not a file"


async def test_a_pipe_where_the_new_one_is_written_does_not_stop_the_server(path, entries):
    os.mkfifo(path.with_name(f"{path.name}.new"))
    with opened(path) as kept:
        accept(kept, EARLY)
    assert named(entries, "the peers' last handshakes cannot be kept")


async def test_what_was_there_survives_a_write_that_fails(path, entries, monkeypatch):
    with opened(path) as kept:
        accept(kept, EARLY)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "no space left on device")))
    with opened(path) as kept:
        accept(kept, LATE)
    assert named(entries, "the peers' last handshakes cannot be kept")
    assert opened(path).known == {PEER_KEY: EARLY}
    assert list(path.parent.iterdir()) == [path]
