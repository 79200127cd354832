import pytest

from scorecard.detectors import size_pairs
from tests.scorecard.packets import down, flow, up


def test_148_answered_by_92_is_found():
    assert size_pairs.plain_pair(flow(up(bytes(500)), up(bytes(148), 1), up(bytes(80), 1.1), down(bytes(92), 1.2)))


@pytest.mark.parametrize(
    "packets",
    [
        [up(bytes(149)), down(bytes(92))],
        [up(bytes(148)), down(bytes(93)), down(bytes(92))],
        [up(bytes(148)), down(bytes(92), 6)],
        [down(bytes(148)), up(bytes(92))],
    ],
    ids=["another size", "another answer first", "too late", "the other way"],
)
def test_other_pairs_are_not(packets):
    assert not size_pairs.plain_pair(flow(*packets))


def test_one_pair_at_all_handshakes():
    assert size_pairs.one_pair([(200, 150), (200, 150)]) is True
    assert size_pairs.one_pair([(200, 150), (200, 151)]) is False
    assert size_pairs.one_pair([(200, 150)]) is None
