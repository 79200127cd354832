"""Which reply each outcome has."""

import dataclasses

from awgproxy import _native
from awgproxy.proxy import answers, socks5

RFC_1928 = {
    "succeeded": 0,
    "failed": 1,
    "prohibited": 2,
    "network_unreachable": 3,
    "host_unreachable": 4,
    "refused": 5,
    "timed_out": 6,
}
"""Section 6, and the documentation's table."""


def test_each_outcome_has_the_reply_of_the_table():
    expected = {outcome: bytes((5, code, 0, 1, *bytes(6))) for outcome, code in RFC_1928.items()}
    assert dataclasses.asdict(socks5.ANSWERS) == expected


def test_each_answer_goes_to_the_engine_by_its_outcome(monkeypatch):
    monkeypatch.setattr(answers, "Replies", dict)  # the engine's own shows nothing of what it holds
    assert dataclasses.replace(socks5.ANSWERS).replies == dataclasses.asdict(socks5.ANSWERS)


def test_the_engine_takes_them():
    assert isinstance(socks5.ANSWERS.replies, _native.Replies)
