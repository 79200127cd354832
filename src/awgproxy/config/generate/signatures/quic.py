"""A QUIC Initial and a 0-RTT packet behind it in one datagram, as I1: a browser that returns to a site.

RFC 9000, RFC 9001. An Initial is encrypted with keys that everybody can derive, so in tags it is the same bytes for all
of a pair's life. The 0-RTT packet is encrypted with a key that nobody knows: random bytes, new in each datagram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.browser_hello import client_hello
from awgproxy.config.generate.signatures.tags import random_bytes, static
from awgproxy.config.quic import LEAST_DATAGRAM, VERSION_1, variable_length
from awgproxy.config.quic import initial as protected_initial

if TYPE_CHECKING:
    from random import Random

CHROMIUM_DATAGRAM = 1250
"""Bytes, as Chromium fills them up."""

LEAST_PATH_MTU = LEAST_DATAGRAM + 48
CHROMIUM_PATH_MTU = CHROMIUM_DATAGRAM + 48
"""Bytes, with the headers of IPv6 and UDP."""

_CRYPTO = b"\x06"
_ZERO_RTT = 0xD0


def initial(random: Random, size: int = CHROMIUM_DATAGRAM) -> str:
    """Draw a datagram of ``size`` bytes: the Initial is the pair's, the 0-RTT packet's content each packet's."""
    destination = random.randbytes(8)
    hello = client_hello(random)
    frames = _CRYPTO + variable_length(0) + variable_length(len(hello)) + hello
    packet = protected_initial(destination, 1, 1, frames)
    opening = bytes([_ZERO_RTT | random.getrandbits(4)]) + VERSION_1 + bytes([len(destination)]) + destination + b"\x00"
    rest = size - len(packet) - len(opening) - 2
    return static(packet + opening + variable_length(rest, 2)) + random_bytes(rest)
