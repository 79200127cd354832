"""Tests 5 to 7: what stands in the clear in each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.score.traits import TRANSPORT
from awgproxy.config.score.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.score.traits import Traits

LAST_OFFSET = 63
"""How far into a datagram the tests look for structure."""

_TYPE_WORD = 4
_PROTECTED = "headers are encrypted"


def counter(traits: Traits) -> Iterator[Verdict]:
    """A session's index, and the counter behind it."""
    test = "index and counter in the clear"
    padding = traits.shape.paddings[TRANSPORT]
    at = padding + _TYPE_WORD
    if traits.shape.header_protection:
        yield Verdict("5", test, Outcome.PASSES, _PROTECTED, ("HeaderProtectionKey",))
    elif at > LAST_OFFSET:
        yield Verdict("5", test, Outcome.PASSES, f"only since S4 puts them {at} bytes deep", ("S4",))
    else:
        reason = f"they stand at byte {at} of all data"
        yield Verdict("5", test, Outcome.FAILS, reason, ("HeaderProtectionKey",))


def unset_mac(traits: Traits) -> Iterator[Verdict]:
    """The second MAC of handshake messages, which is 16 zero bytes without a cookie."""
    test = "zero bytes at the end of handshakes"
    if traits.shape.header_protection:
        yield Verdict("6", test, Outcome.PASSES, _PROTECTED, ("HeaderProtectionKey",))
    elif traits.shape.trailers:
        reason = "trailers seldom have no byte, and then they show"
        yield Verdict("6", test, Outcome.FAILS, reason, ("HeaderProtectionKey",))
    else:
        yield Verdict("6", test, Outcome.FAILS, "16 bytes that are zero end each of them", ("HeaderProtectionKey",))


def columns(traits: Traits) -> Iterator[Verdict]:
    """Bytes that are not spread over their values: types, the upper half of counters."""
    test = "uneven byte columns"
    at = traits.shape.paddings[TRANSPORT]
    if traits.shape.header_protection:
        yield Verdict("7", test, Outcome.PASSES, _PROTECTED, ("HeaderProtectionKey",))
    elif at > LAST_OFFSET:
        yield Verdict("7", test, Outcome.PASSES, f"only since S4 puts headers {at} bytes deep", ("S4",))
    else:
        reason = f"from byte {at} of all data the same type, index and zeros of the counter come again"
        yield Verdict("7", test, Outcome.FAILS, reason, ("HeaderProtectionKey",))


TESTS = (counter, unset_mac, columns)
