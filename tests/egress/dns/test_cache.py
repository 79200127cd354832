"""The cache: TTLs by a clock of the test's, the bound, and what is forgotten first."""

from hypothesis import given
from hypothesis import strategies as st

from awgproxy.egress.dns.answer import Answer
from awgproxy.egress.dns.cache import Cache

ONE, OTHER, THIRD = ("one.example", 4), ("one.example", 6), ("other.example", 4)


def answer(ttl, address="192.0.2.1"):
    return Answer((address,), ttl=ttl)


def test_an_answer_holds_until_its_time_is_over_and_no_longer():
    cache = Cache()
    cache.put(ONE, answer(10), 100)
    assert cache.get(ONE, 109.999) == answer(10)
    assert cache.get(ONE, 110) is None
    assert len(cache) == 0


def test_families_are_different_questions():
    cache = Cache()
    cache.put(ONE, answer(10), 0)
    assert cache.get(OTHER, 0) is None


def test_what_does_not_hold_is_not_kept_and_ends_what_was():
    cache = Cache()
    cache.put(ONE, answer(10), 0)
    cache.put(ONE, answer(0), 1)
    assert cache.get(ONE, 1) is None


def test_that_there_is_nothing_is_an_answer():
    cache = Cache()
    cache.put(ONE, Answer(is_missing=True, ttl=5), 0)
    assert cache.get(ONE, 4) == Answer(is_missing=True, ttl=5)


def test_past_the_bound_the_least_recently_asked_goes():
    cache = Cache(capacity=2)
    cache.put(ONE, answer(10), 0)
    cache.put(OTHER, answer(10), 0)
    cache.get(ONE, 1)
    cache.put(THIRD, answer(10), 2)
    assert cache.get(OTHER, 3) is None
    assert cache.get(ONE, 3) is not None
    assert cache.evicted == 1


def test_hits_and_misses_are_counted():
    cache = Cache()
    cache.put(ONE, answer(10), 0)
    for question in (ONE, OTHER, ONE):
        cache.get(question, 1)
    assert (cache.hits, cache.misses) == (2, 1)


names = st.integers(0, 9).map(lambda number: (f"n{number}.example", 4))
steps = st.lists(
    st.tuples(st.sampled_from(["get", "put"]), names, st.integers(0, 20), st.integers(0, 10)), max_size=200
)


@given(steps, st.integers(1, 6))
def test_it_never_holds_more_than_its_bound_nor_tells_anything_but_the_latest_word_in_time(steps, capacity):
    cache, latest, now = Cache(capacity), {}, 0
    for number, (what, question, ttl, pause) in enumerate(steps):
        now += pause
        if what == "put":
            latest[question] = (answer(ttl, str(number)), now + ttl)
            cache.put(question, latest[question][0], now)
        else:
            told = cache.get(question, now)
            assert told is None or (told == latest[question][0] and now < latest[question][1])
        assert len(cache) <= capacity
    if len(latest) <= capacity:
        for question, (last, until) in latest.items():
            assert cache.get(question, now) == (last if now < until else None)
