"""The log's allowance for each event."""

import pytest
import structlog

from awgproxy.observe import flood
from awgproxy.observe.flood import BURST, MOST_EVENTS, SECONDS_PER_ENTRY, FloodGuard


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return FloodGuard(clock)


def written(guard, event, times=1, method="warning"):
    """The entries that pass."""
    entries = []
    for _ in range(times):
        try:
            entries.append(guard(None, method, {"event": event}))
        except structlog.DropEvent:
            continue
    return entries


def test_a_burst_passes_and_no_more(guard):
    assert len(written(guard, "peer moved", 3 * BURST)) == BURST


def test_each_event_has_an_allowance_of_its_own(guard):
    written(guard, "peer moved", 3 * BURST)
    assert written(guard, "tunnel up")


def test_what_was_left_out_is_told_once(guard, clock):
    written(guard, "peer moved", BURST + 7)
    clock.now += 2 * SECONDS_PER_ENTRY
    assert written(guard, "peer moved", 3) == [{"event": "peer moved", "left_out": 7}, {"event": "peer moved"}]


def test_time_grants_no_more_than_a_burst(guard, clock):
    written(guard, "peer moved", BURST)
    clock.now += 10 * BURST * SECONDS_PER_ENTRY
    assert len(written(guard, "peer moved", 3 * BURST)) == BURST


def test_debug_is_not_limited(guard):
    assert len(written(guard, "connection closed", 3 * BURST, "debug")) == 3 * BURST


def test_memory_is_bounded(guard):
    for number in range(2 * MOST_EVENTS):
        written(guard, f"event {number}")
    assert len(guard._allowances) == MOST_EVENTS + 1
    assert flood._REST in guard._allowances
