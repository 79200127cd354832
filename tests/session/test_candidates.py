"""Whose turn it is among a peer's endpoints."""

from hypothesis import given
from hypothesis import strategies as st

from awgproxy.config.values import Endpoint
from awgproxy.session.candidates import INITIATIONS, MORE_INITIATIONS, Candidates

ONE, TWO, THREE = (Endpoint(f"192.0.2.{number}", 51820) for number in (1, 2, 3))
NAME, OTHER = Endpoint("vpn.example.org", 443), Endpoint("other.example.org", 20000, 20100)


def tried(candidates):
    return None if candidates.current is None else (candidates.current.endpoint.host, candidates.current.endpoint.port)


def until_it_moves(candidates):
    """How many initiations go unanswered until another one is tried."""
    before = candidates.current
    for count in range(1, 100):
        candidates.unanswered()
        if candidates.current != before:
            return count
    return None


def test_the_first_is_tried_first_and_each_gets_its_initiations():
    candidates = Candidates([ONE, TWO, THREE])
    assert candidates.current.endpoint == ONE
    # When the first initiation is found to be unanswered the second one has left.
    assert until_it_moves(candidates) == INITIATIONS - 1
    assert candidates.current.endpoint == TWO
    assert until_it_moves(candidates) == INITIATIONS
    assert candidates.current.endpoint == THREE


def test_later_rounds_take_longer_by_chance_and_not_for_ever():
    candidates = Candidates([ONE, TWO])
    counts = [until_it_moves(candidates) for _ in range(200)][20:]
    assert set(counts) == set(range(INITIATIONS, INITIATIONS + MORE_INITIATIONS + 1))


def test_one_alone_stays():
    assert until_it_moves(Candidates([ONE])) is None


def test_who_answered_stays_and_is_left_after_its_initiations():
    candidates = Candidates([ONE, TWO, THREE])
    until_it_moves(candidates)
    assert not candidates.answered("192.0.2.2", 51820)
    assert candidates.current.endpoint == TWO
    assert until_it_moves(candidates) == INITIATIONS - 1
    assert candidates.current.endpoint == THREE
    assert candidates.answered("192.0.2.3", 51820)


def test_an_answer_from_where_nobody_is_configured_changes_nothing():
    candidates = Candidates([ONE, TWO])
    candidates.answered("198.51.100.9", 51820)
    assert candidates.current.endpoint == ONE


def test_a_name_is_waited_for_by_those_behind_it():
    candidates = Candidates([NAME, TWO])
    assert candidates.current is None
    candidates.found(NAME.host, ["192.0.2.8", "2001:db8::8"])
    assert tried(candidates) == ("192.0.2.8", 443)
    until_it_moves(candidates)
    assert tried(candidates) == ("2001:db8::8", 443)
    until_it_moves(candidates)
    assert candidates.current.endpoint == TWO


def test_a_name_that_is_not_found_is_not_waited_for():
    candidates = Candidates([NAME, TWO])
    candidates.not_found(NAME.host)
    assert candidates.current.endpoint == TWO


def test_a_name_that_is_not_found_any_more_keeps_its_addresses():
    candidates = Candidates([NAME])
    candidates.found(NAME.host, ["192.0.2.8"])
    candidates.not_found(NAME.host)
    assert tried(candidates) == ("192.0.2.8", 443)


def test_a_name_with_other_addresses_moves_who_does_not_answer():
    candidates = Candidates([NAME, TWO])
    candidates.found(NAME.host, ["192.0.2.8"])
    candidates.found(NAME.host, ["192.0.2.9", "192.0.2.8"])
    assert tried(candidates) == ("192.0.2.8", 443)
    candidates.found(NAME.host, ["192.0.2.9"])
    assert tried(candidates) == ("192.0.2.9", 443)


def test_a_name_with_other_addresses_leaves_who_answers():
    candidates = Candidates([NAME])
    candidates.found(NAME.host, ["192.0.2.8"])
    candidates.answered("192.0.2.8", 443)
    candidates.found(NAME.host, ["192.0.2.9"])
    assert tried(candidates) == ("192.0.2.8", 443)
    candidates.unanswered()
    assert tried(candidates) == ("192.0.2.9", 443)


def test_a_range_of_ports_goes_with_its_host():
    candidates = Candidates([OTHER])
    candidates.found(OTHER.host, ["2001:db8::1"])
    assert candidates.current.endpoint == Endpoint("2001:db8::1", 20000, 20100)
    candidates.answered("2001:db8::1", 20077)
    assert candidates.current.endpoint == Endpoint("2001:db8::1", 20000, 20100)


def test_what_cannot_be_reached_is_passed_over_while_anything_can():
    reachable = {TWO}
    candidates = Candidates([ONE, TWO, THREE], reachable.__contains__)
    assert candidates.current.endpoint == TWO
    reachable.clear()
    assert until_it_moves(candidates) is None
    reachable.add(ONE)
    until_it_moves(candidates)
    assert candidates.current.endpoint == ONE


def test_when_the_network_changes_it_begins_again_with_the_one_that_answered_last():
    candidates = Candidates([ONE, TWO, THREE])
    until_it_moves(candidates)
    candidates.network_changed()
    assert candidates.current.endpoint == ONE
    candidates.answered("192.0.2.2", 51820)
    candidates.network_changed()
    assert candidates.current.endpoint == TWO
    until_it_moves(candidates)
    candidates.network_changed()
    assert candidates.current.endpoint == TWO
    assert until_it_moves(candidates) == INITIATIONS - 1


steps = st.lists(
    st.one_of(
        st.just("unanswered"),
        st.just("not found"),
        st.just("network"),
        st.lists(st.integers(1, 4), min_size=1, max_size=3),
        st.integers(1, 6).map(str),
    ),
    max_size=60,
)


@given(steps, st.permutations([NAME, TWO, THREE]), st.randoms(use_true_random=False))
def test_whatever_happens_what_is_tried_is_configured_and_everything_gets_its_turn(steps, configured, chance):
    candidates = Candidates(configured, chance=chance)
    for step in steps:
        if step == "unanswered":
            candidates.unanswered()
        elif step == "not found":
            candidates.not_found(NAME.host)
        elif step == "network":
            candidates.network_changed()
        elif isinstance(step, str):
            candidates.answered(f"192.0.2.{step}", 51820)
        else:
            candidates.found(NAME.host, [f"192.0.2.{number}" for number in step])
    candidates.found(NAME.host, ["192.0.2.7", "2001:db8::7"])
    seen = set()
    for _ in range(4 * 2 * (INITIATIONS + MORE_INITIATIONS)):
        candidates.unanswered()
        seen.add(candidates.current.endpoint)
    assert seen == {TWO, THREE, Endpoint("192.0.2.7", 443), Endpoint("2001:db8::7", 443)}
