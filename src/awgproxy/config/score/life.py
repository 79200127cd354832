"""Tests 11, 12 and 15: clocks, what strangers hear, and what passes for random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.model import Role
from awgproxy.config.score.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.score.traits import Traits

REKEY, KEEPALIVE = 120, 25
"""WireGuard's seconds; what is within one of them counts."""
MOST_NEAR = 0.2


def keepalives(traits: Traits) -> Iterator[Verdict]:
    """Packets that keep a way through NAT open."""
    test = "keepalives every 25 s"
    key = ("PersistentKeepalive",)
    if not traits.keepalives:
        yield Verdict("11a", test, Outcome.PASSES, "none are sent but as answers to data", key)
        return
    worst = max(traits.keepalives, key=lambda each: _near(KEEPALIVE, each.least, each.most))
    share = _near(KEEPALIVE, worst.least, worst.most)
    if share >= MOST_NEAR:
        yield Verdict("11a", test, Outcome.FAILS, f"{share:.0%} of {worst} s are within a second of 25", key)
    elif worst.is_fixed:
        yield Verdict("11a", test, Outcome.PASSES, f"they come every {worst} s, which is a clock as well", key)
    else:
        yield Verdict("11a", test, Outcome.PASSES, f"they come after {worst} s", key)


def rekeys(traits: Traits) -> Iterator[Verdict]:
    """Handshakes of a link in use: the end that dials begins them, and near the range's low end where it is busy."""
    test = "rekeys every 120 s"
    key = ("RekeyAfterTime",)
    renewal = traits.shape.times.get(*key)
    if renewal is None:
        yield Verdict("11b", test, Outcome.FAILS, "a link in use has a handshake every 120 s", key)
    elif max(_near(REKEY, renewal.first, renewal.last), _near(REKEY, renewal.first, renewal.first + 1)) >= MOST_NEAR:
        yield Verdict("11b", test, Outcome.FAILS, f"{renewal} s is near 120 where a link is busy", key)
    else:
        yield Verdict("11b", test, Outcome.PASSES, f"handshakes come after {renewal} s", key)


def probes(traits: Traits) -> Iterator[Verdict]:
    """What a server answers to those who do not have its clients' keys."""
    test = "probes that are answered"
    if traits.role is Role.CLIENT:
        yield Verdict("12", test, Outcome.NOT_STATIC, "the server is probed: score its configuration")
    elif traits.shape.cookies:
        reason = "awgproxy answers no stranger and no replay; another server's cookies would answer replays under load"
        yield Verdict("12", test, Outcome.PASSES, reason, ("DisableCookies",))
    else:
        yield Verdict("12", test, Outcome.PASSES, "no stranger and no replay is answered", ("DisableCookies",))


def randomness(_traits: Traits) -> Iterator[Verdict]:
    """Padding, junk, trailers."""
    reason = "all of it comes from a cryptographic generator, whatever is configured"
    yield Verdict("15", "padding and junk that is not random", Outcome.PASSES, reason)


def _near(second: int, least: int, most: int) -> float:
    """The share of a range that is within a second of another."""
    return max(0, min(most, second + 1) - max(least, second - 1) + 1) / (most - least + 1)


TESTS = (keepalives, rekeys, probes, randomness)
