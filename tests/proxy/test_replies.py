"""Which reply each outcome has."""

import runpy

from awgproxy import _native
from awgproxy.proxy import replies

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


def test_each_outcome_has_the_reply_of_the_table(monkeypatch):
    monkeypatch.setattr(_native, "Replies", dict)  # the engine's own shows nothing of what it holds
    prepared = runpy.run_path(replies.__file__)["SOCKS5_REPLIES"]
    assert prepared == {outcome: bytes((5, code, 0, 1, *bytes(6))) for outcome, code in RFC_1928.items()}


def test_the_engine_takes_them():
    assert isinstance(replies.SOCKS5_REPLIES, _native.Replies)
