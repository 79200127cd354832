"""An NTP client's request (RFC 5905, section 7.3), as I1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.tags import random_bytes, static

if TYPE_CHECKING:
    from random import Random

_VERSION_4_CLIENT = 0x23
_UNSYNCHRONISED_VERSION_4_CLIENT = 0xE3
_PRECISIONS = (0, 0x20, *range(0xE6, 0xF0))
"""Nothing, what chrony sends, and 2^-26 to 2^-17 s as clocks have it."""


def request(random: Random) -> str:
    """Draw a request; today's clients tell nothing of themselves, and their transmit timestamp is random."""
    first = random.choice((_VERSION_4_CLIENT, _VERSION_4_CLIENT, _UNSYNCHRONISED_VERSION_4_CLIENT))
    opening = bytes([first, 0, random.randint(3, 17), random.choice(_PRECISIONS)])
    delay, dispersion = (random.choice((0, random.getrandbits(12))).to_bytes(4) for _ in range(2))
    no_reference = bytes(4 + 8 + 8 + 8)
    return static(opening + delay + dispersion + no_reference) + random_bytes(8)
