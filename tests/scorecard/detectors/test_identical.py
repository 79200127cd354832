from scorecard.detectors import identical
from tests.scorecard.packets import down, flow, noise, up

ONE, OTHER = noise([40, 40])


def test_the_same_twice_in_a_flow_is_found():
    assert identical.within_flow(flow(up(ONE), up(OTHER), up(ONE)))
    assert not identical.within_flow(flow(up(ONE), up(OTHER), down(ONE)))


def test_short_ones_do_not_count():
    assert not identical.within_flow(flow(up(ONE[:39]), up(ONE[:39])))


def test_the_same_from_clients_of_two_pairs_is_found():
    first, second = flow(up(ONE), up(OTHER)), flow(up(ONE), pair="b-1")
    found = identical.across_pairs([first, second])
    assert (found.flagged, found.of) == (1, 2)


def test_the_same_from_clients_of_one_pair_is_not():
    assert identical.across_pairs([flow(up(ONE)), flow(up(ONE), port=2)]).flagged == 0
