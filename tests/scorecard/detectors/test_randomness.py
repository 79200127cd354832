import math

import pytest

from scorecard.detectors import randomness
from tests.scorecard.packets import noise

(RANDOM,) = noise([20_000])


def test_noise_is_not_rejected():
    assert randomness.judge({"S1": RANDOM}).flagged == 0


@pytest.mark.parametrize(
    "data",
    [
        bytes(value & 0x7F if index % 4 == 0 else value for index, value in enumerate(RANDOM)),
        bytes(range(120, 136)) * 500,
    ],
    ids=["a bit that is often unset", "balanced bits, few values"],
)
def test_what_is_not_random_is_rejected_by_name(data):
    found = randomness.judge({"junk": data, "S1": RANDOM})
    assert (found.flagged, found.of) == (1, 2)
    assert found.remark.endswith("junk")


def test_little_is_not_judged():
    assert randomness.judge({"S1": bytes(100)}).of == 0


def test_known_chances():
    # NIST SP 800-22, section 2.1.8, has 42 ones of 100; here 42 of 104.
    assert randomness.monobit(bytes([0xFF] * 5 + [0x03] + [0] * 7)) == pytest.approx(math.erfc(20 / math.sqrt(208)))
    assert randomness.above(293.25, 255) == pytest.approx(0.05, rel=0.01)  # of the tables
    assert randomness.above(310.46, 255) == pytest.approx(0.01, rel=0.01)
