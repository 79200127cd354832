from scorecard.detectors import columns
from tests.scorecard.packets import noise

MANY = 4000


def test_noise_is_even():
    found = columns.judge({"a": noise([80] * MANY)})
    assert (found.flagged, found.of) == (0, 64)


def test_a_column_that_is_often_the_same_is_found_at_its_server():
    even = noise([80] * MANY)
    uneven = [payload[:7] + b"\x04" + payload[8:] if index % 10 == 0 else payload for index, payload in enumerate(even)]
    found = columns.judge({"a": even, "b": uneven})
    assert (found.flagged, found.of) == (1, 64)
    assert found.remark.endswith("at offset 7")


def test_few_datagrams_say_nothing():
    assert columns.judge({"a": [bytes(80)] * 100}).of == 0
