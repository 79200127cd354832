"""Where everything in a file stands, and what that costs."""

from __future__ import annotations

import tracemalloc

import pytest

from awgproxy.config import Role, parse
from awgproxy.config.lines import Lines
from interop.counterparts.configuration import Tunnel

PEERS = 500
MOST_BYTES = 2000
"""For each peer, all that a configuration keeps of it; beside what the engine keeps, far below 4 KB."""


def test_a_place_has_its_line() -> None:
    lines = Lines()
    lines.note("peer 1", 10, {("publickey",): 12, ("allowedips",): 13, ("allowedips", 0): 13})
    lines.note("peer 2", 20, {("publickey",): 22, ("allowedips",): 23, ("allowedips", 0): 23})
    lines.note("peer 3", 30, {("publickey",): 31})
    assert [lines[f"peer {number}", ""] for number in (1, 2, 3)] == [10, 20, 30]
    assert [lines[f"peer {number}", "publickey"] for number in (1, 2, 3)] == [12, 22, 31]
    assert lines["peer 2", "allowedips", 0] == 23
    assert dict(lines) == {place: lines[place] for place in lines}
    assert len(lines) == len(list(lines)) == 10


@pytest.mark.parametrize("place", [("peer 2", ""), ("peer 1", "endpoint"), ("peer 1", "allowedips", 1)])
def test_what_does_not_stand_there_has_none(place: tuple[str, str]) -> None:
    lines = Lines()
    lines.note("peer 1", 1, {("allowedips",): 2, ("allowedips", 0): 2})
    assert place not in lines
    assert lines.get(place) is None


def test_a_peer_of_thousands_takes_little_memory() -> None:
    def held_with(peers: int) -> int:
        text = Tunnel(clients=peers, preshared=True).server_file(51820)
        before, _ = tracemalloc.get_traced_memory()
        config = parse(text, "server.conf", Role.SERVER)
        assert len(config.peers) == peers
        return tracemalloc.get_traced_memory()[0] - before

    held_with(1)
    tracemalloc.start()
    try:
        each = (held_with(PEERS) - held_with(1)) / (PEERS - 1)
    finally:
        tracemalloc.stop()
    assert each <= MOST_BYTES
