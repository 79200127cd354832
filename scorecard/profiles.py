"""The profiles: what each is, and the tests that it promises to pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of `awgproxy new`, with the numbers of the tests (of `catalogue`) that it promises to pass.

    `keepalive` is the `PersistentKeepalive` of its clients, which `new` leaves to people: those behind NAT need it.
    A range is to keep away from WireGuard's 25 s.
    `control`: plain WireGuard, which every test must find.
    """

    name: str
    promised: frozenset[str]
    keepalive: str
    control: bool = False


_ENGINES = ("1a", "1b", "2a", "2b", "3", "4a", "4b")
_STRUCTURE = ("5", "6", "7", "8", "9", "10a", "10b", "11a", "11b")

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("plain", frozenset(), keepalive="25", control=True),
        Profile("awg2", frozenset({*_ENGINES, "10a", "12", "14b", "15"}), keepalive="25"),
        Profile("awg3", frozenset({*_ENGINES, *_STRUCTURE, "12", "14b", "15"}), keepalive="27-45"),
    )
}
"""By name."""
