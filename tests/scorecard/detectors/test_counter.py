import random

import pytest

from scorecard.detectors import counter
from tests.scorecard.packets import data, down, flow, noise, up


def padding(number, length):
    return random.Random(-1 - number).randbytes(length)


@pytest.mark.parametrize("length", [0, 17, 59])
def test_a_counter_is_found_behind_any_padding(length):
    messages = [data(b"abcd", 3 * number, before=padding(number, length)) for number in range(12)]
    assert counter.fires(flow(*map(up, messages)))
    assert counter.fires(flow(*map(down, messages)))


@pytest.mark.parametrize(
    "messages",
    [
        [data(b"abcd", number) for number in range(11)] + noise([80]),
        [data(b"abcd", 65 * number) for number in range(20)],
        [data(b"abcd", 20 - number) for number in range(20)],
        [data(number.to_bytes(4), number) for number in range(20)],
        noise([100] * 50),
    ],
    ids=["too few", "too fast", "falling", "another word each", "noise"],
)
def test_what_does_not_count_is_not_found(messages):
    assert counter.fires(flow(*map(up, messages))) is False


def test_a_few_datagrams_say_nothing():
    assert counter.fires(flow(*[up(payload) for payload in noise([100] * 11)])) is None
