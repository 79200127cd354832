"""The reference and awgproxy: each configuration in both directions, with all that a tunnel must carry and survive.

Every run of the tests has data under each configuration of the table, and each change under two of them; the rest has
the marker `matrix`, which only `make test-all` asks for.
"""

from __future__ import annotations

import functools

import pytest

from tests.interop import matrix, side_by_side
from tests.interop.configurations import CHANGED, DIRECTIONS, FULL, TABLE

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "internet")

REST = tuple(name for name in TABLE if name not in CHANGED)


def both_ways(configurations, always):
    """A test for each configuration in each direction; those that are not of `always` belong to `matrix`."""
    return pytest.mark.parametrize(
        ("pair", "name"),
        [
            pytest.param(pair, name, id=f"{direction}-{name}", marks=() if name in always else pytest.mark.matrix)
            for direction, pair in DIRECTIONS.items()
            for name in configurations
        ],
    )


@both_ways(FULL, always=TABLE)
def test_data_passes(pair, name, tmp_path):
    matrix.data_passes(*pair, FULL[name], tmp_path)


@both_ways(TABLE, always=("plain", "everything"))
def test_much_data_passes(pair, name, tmp_path):
    matrix.data_passes(*pair, TABLE[name], tmp_path, matrix.LARGE)


CHANGES = {
    "client-restarts": matrix.client_restarts,
    "client-moves": matrix.client_moves,
    "2-peers": functools.partial(matrix.peers_at_once, 2),
    "50-peers": functools.partial(matrix.peers_at_once, 50),
}


@both_ways(TABLE, always=CHANGED)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change(pair, name, change, tmp_path):
    CHANGES[change](*pair, TABLE[name], tmp_path)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("names", [CHANGED, pytest.param(REST, marks=pytest.mark.matrix)], ids=["changed", "rest"])
def test_a_server_restarts(names, tmp_path):
    """Side by side, since a client needs 15 s to notice."""
    scenes = {
        f"{direction}-{name}": functools.partial(matrix.server_restarts, *pair, TABLE[name])
        for direction, pair in DIRECTIONS.items()
        for name in names
    }
    side_by_side.play(scenes, tmp_path, at_once=8)
