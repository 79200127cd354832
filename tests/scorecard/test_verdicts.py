import pytest

from scorecard.catalogue import TESTS
from scorecard.catalogue import Test as OneTest
from scorecard.packets import Finding
from scorecard.profiles import PROFILES, Profile
from scorecard.report import table
from scorecard.verdicts import Card, failures

FLOWS = OneTest("5", "a counter", "flows", lambda _: Finding(0, 0))
SHARE = OneTest("11", "a clock", "silences", lambda _: Finding(0, 0), limit=0.2)
PLAIN = Profile("plain", frozenset(), keepalive="25", control=True)
PROMISING = Profile("awg3", frozenset({"5"}), keepalive="30-40")


def card(profile, finding, test=FLOWS):
    return Card(profile, 10, 1000, {test.number: finding}, {test.number: finding} if profile.control else {})


@pytest.mark.parametrize(
    ("test", "finding", "passed"),
    [
        (FLOWS, Finding(0, 10), True),
        (FLOWS, Finding(1, 10), False),
        (FLOWS, Finding(0, 0), False),
        (SHARE, Finding(1, 10), True),
        (SHARE, Finding(2, 10), False),
    ],
)
def test_what_passes(test, finding, passed):
    assert test.passed(finding) is passed


def test_a_promise_that_is_kept_and_a_control_that_is_found_are_no_failures():
    assert failures([card(PLAIN, Finding(10, 10)), card(PROMISING, Finding(0, 10))], [FLOWS]) == []


def test_a_broken_promise_is_told():
    (told,) = failures([card(PROMISING, Finding(1, 10, "at offset 4"))], [FLOWS])
    assert told == "awg3 fails test 5, a counter: 1 of 10 flows at offset 4"


def test_what_could_not_be_judged_breaks_a_promise():
    (told,) = failures([card(PROMISING, Finding(0, 0))], [FLOWS])
    assert told.endswith("too little to judge")


def test_what_was_not_promised_breaks_nothing():
    assert failures([card(Profile("awg2", frozenset(), keepalive="25"), Finding(10, 10))], [FLOWS]) == []


@pytest.mark.parametrize("finding", [Finding(0, 10), Finding(4, 10), Finding(0, 0)])
def test_a_control_that_is_not_found_is_told(finding):
    (told,) = failures([card(PLAIN, finding)], [FLOWS])
    assert told.startswith("test 5, a counter, does not find its control")


def test_promises_are_of_tests_that_there_are():
    numbers = {test.number for test in TESTS}
    assert len(numbers) == len(TESTS)
    assert all(profile.promised <= numbers for profile in PROFILES.values())


def test_the_table_says_what_was_found(monkeypatch):
    monkeypatch.setattr(table, "TESTS", [FLOWS])
    cards = [card(PLAIN, Finding(10, 10)), card(PROMISING, Finding(0, 10, "well"))]
    assert table.text(cards).splitlines() == [
        "              plain        awg3",
        "5  a counter  found 10/10  pass 0/10",
        "",
        "- 5, `awg3`: well",
    ]
    assert table.markdown(cards).splitlines()[-1] == "| 5 | a counter | flows | **10 of 10** | 0 of 10 |"
