"""Wrong passwords cost time, and asking in parallel gains nothing."""

import pytest

from awgproxy.proxy.attempts import (
    FORGOTTEN_AFTER,
    FREE_MISTAKES,
    LONGEST_DELAY,
    LONGEST_WAIT,
    MOST_ADDRESSES,
    Attempts,
)

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def attempts():
    return Attempts()


def fail(attempts, times, address=HERE, now=0.0):
    return [attempts.failed(address, now) for _ in range(times)]


def test_each_mistake_is_answered_later_than_the_one_before(attempts):
    assert fail(attempts, 5) == [1.0, 2.0, 4.0, LONGEST_DELAY, LONGEST_DELAY]
    assert attempts.mistakes == 5


def test_the_first_mistakes_keep_nobody_waiting(attempts):
    fail(attempts, FREE_MISTAKES)
    assert [attempts.turn(HERE, 0.0) for _ in range(100)] == [0.0] * 100


def test_after_them_one_attempt_at_a_time_is_looked_at_and_the_rest_are_turned_away(attempts):
    fail(attempts, FREE_MISTAKES + 1)
    turns = [attempts.turn(HERE, 0.0) for _ in range(1000)]
    looked_at = [turn for turn in turns if turn is not None]
    assert looked_at == [0.0, LONGEST_DELAY]
    assert max(looked_at) <= LONGEST_WAIT
    assert attempts.turned_away == 998
    assert attempts.turn(HERE, 2 * LONGEST_DELAY) == 0.0


def test_an_address_pays_for_its_own_mistakes_only(attempts):
    fail(attempts, 10)
    attempts.turn(HERE, 0.0)
    assert attempts.turn(THERE, 0.0) == 0.0
    assert fail(attempts, 1, THERE) == [1.0]


@pytest.mark.parametrize("other", ["2001:db8::2", "2001:db8::ffff:1%eth0"])
def test_of_ipv6_a_64_is_one_address(attempts, other):
    fail(attempts, 1, "2001:db8::1")
    assert fail(attempts, 1, other) == [2.0]
    assert fail(attempts, 1, "2001:db8:0:1::1") == [1.0]


def test_ipv4_as_ipv6_has_it_is_told_apart(attempts):
    fail(attempts, 1, "::ffff:192.0.2.1")
    assert fail(attempts, 1, "::ffff:192.0.2.2") == [1.0]


def test_a_right_password_ends_it(attempts):
    fail(attempts, 10)
    attempts.succeeded(HERE)
    assert attempts.turn(HERE, 0.0) == 0.0
    assert fail(attempts, 1) == [1.0]


def test_so_does_time(attempts):
    fail(attempts, 10)
    assert fail(attempts, 1, now=FORGOTTEN_AFTER + 1) == [1.0]


def test_no_more_addresses_are_remembered_than_there_is_room_for(attempts):
    for number in range(MOST_ADDRESSES + 1):
        attempts.failed(f"10.0.{number >> 8}.{number & 255}", 0.0)
    assert len(attempts._records) == MOST_ADDRESSES
    assert fail(attempts, 1, "10.0.0.0") == [1.0]  # the quietest was forgotten
    assert fail(attempts, 1, "10.0.4.0") == [2.0]
