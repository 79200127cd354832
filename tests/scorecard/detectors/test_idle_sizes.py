import random

from scorecard.detectors import idle_sizes
from tests.scorecard.packets import down, flow, up


def every(sizes, gap=10.0, make=up, pair="a-1"):
    return flow(*[make(bytes(size), gap * number) for number, size in enumerate(sizes)], pair=pair)


def test_keepalives_of_one_size_are_found():
    dice = random.Random(3)
    constant = every([32 if number % 2 else dice.randint(40, 400) for number in range(60)], pair="b-1")
    varied = every([dice.randint(40, 400) for _ in range(60)])
    found = idle_sizes.judge([constant, varied])
    assert (found.flagged, found.of) == (1, 2)


def test_only_what_a_client_says_after_a_silence_counts():
    assert idle_sizes.judge([every([32] * 60, gap=1.0), every([32] * 60, make=down)]).of == 0


def test_what_one_server_hears_counts_together():
    found = idle_sizes.judge([every([32] * 21), every([32] * 21)])
    assert (found.flagged, found.of) == (1, 1)
