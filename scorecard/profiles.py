"""The profiles: what each is, and the tests that it promises to pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of `awgproxy new`, with the numbers of tests (of `catalogue`) that must be passed.

    `control`: plain WireGuard, which every test must find. `client_extra` are lines for the client's `[Peer]`.
    """

    name: str
    promised: frozenset[str]
    control: bool = False
    client_extra: str = ""


PLAIN = Profile("plain", frozenset(), control=True, client_extra="PersistentKeepalive = 25\n")
AWG2 = Profile("awg2", frozenset({"1a", "1b", "2a", "2b", "3", "4a", "4b", "10a", "12", "15"}))
AWG3 = Profile(
    "awg3",
    frozenset(
        {
            "1a",
            "1b",
            "2a",
            "2b",
            "3",
            "4a",
            "4b",
            "5",
            "6",
            "7",
            "8",
            "9",
            "10a",
            "10b",
            "11a",
            "11b",
            "12",
            "14b",
            "15",
        }
    ),
)
PROFILES = {profile.name: profile for profile in (PLAIN, AWG2, AWG3)}
