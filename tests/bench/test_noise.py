"""When a case is measured again, and which try is kept."""

from __future__ import annotations

import pytest

from bench.measuring import undisturbed
from bench.noise import Noise
from bench.results import Outcome

QUIET = Noise(stolen_percent=1, others_percent=2)


@pytest.mark.parametrize(
    ("noise", "disturbs"), [(QUIET, False), (Noise(5, 10), False), (Noise(5.1, 0), True), (Noise(0, 10.1), True)]
)
def test_what_disturbs(noise, disturbs):
    assert noise.disturbs == disturbs


def test_the_worst_of_every_kind_counts():
    assert Noise(1, 20).or_worse(Noise(3, 4)) == Noise(3, 20)


def tries(*outcomes):
    """What is kept of these tries, and how many of them were made."""
    left = list(outcomes)
    kept = undisturbed(lambda: left.pop(0), len(outcomes))
    return kept, len(outcomes) - len(left)


def test_a_quiet_case_is_measured_once():
    kept, made = tries(Outcome({"x": 1}, QUIET), Outcome({"x": 2}, QUIET))
    assert (kept.numbers, kept.tries, made) == ({"x": 1}, 1, 1)


def test_a_disturbed_case_is_measured_again_until_it_is_quiet():
    kept, made = tries(Outcome({"x": 1}, Noise(9, 0)), Outcome({"x": 2}, QUIET), Outcome({"x": 3}, QUIET))
    assert (kept.numbers, kept.tries, made) == ({"x": 2}, 2, 2)


def test_of_tries_that_were_all_disturbed_the_least_disturbed_is_kept():
    kept, made = tries(Outcome({"x": 1}, Noise(9, 0)), Outcome({"x": 2}, Noise(0, 12)), Outcome({"x": 3}, Noise(7, 0)))
    assert (kept.numbers, kept.tries, made) == ({"x": 2}, 3, 3)


def test_numbers_count_more_than_quiet():
    kept, _ = tries(Outcome({}, QUIET, failure="no"), Outcome({"x": 2}, Noise(50, 50)))
    assert kept.numbers == {"x": 2}
