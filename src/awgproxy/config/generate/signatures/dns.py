"""A DNS query over UDP (RFC 1035), as I1: one question for a numbered host, with EDNS (RFC 6891) or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.names import random_domain, random_host
from awgproxy.config.generate.signatures.tags import random_bytes, random_digits, static

if TYPE_CHECKING:
    from random import Random

_RECURSION_DESIRED = bytes.fromhex("0100")
_KINDS = (1, 28, 65)
"""A, AAAA, HTTPS (RFC 9460)."""
_BUFFER_SIZES = (512, 1220, 1232, 1400, 1410, 1452, 1472, 4096)


def query(random: Random) -> str:
    """Draw a query: the name is the pair's, the host's number and the id are each packet's."""
    host, digits = random_host(random).encode(), random.randint(2, 5)
    below = b"".join(bytes([len(label)]) + label for label in random_domain(random).encode().split(b"."))
    edns = _edns(random.choice(_BUFFER_SIZES), random.random() < 0.5) if random.random() < 0.7 else b""
    counts = bytes.fromhex("000100000000") + (1 if edns else 0).to_bytes(2)
    kind = random.choice(_KINDS).to_bytes(2)
    return "".join(
        [
            random_bytes(2),
            static(_RECURSION_DESIRED + counts + bytes([len(host) + digits]) + host),
            random_digits(digits),
            static(below + b"\x00" + kind + b"\x00\x01" + edns),
        ]
    )


def _edns(size: int, dnssec: bool) -> bytes:
    """An OPT record without options (RFC 6891, section 6.1.2)."""
    return b"\x00\x00\x29" + size.to_bytes(2) + b"\x00\x00" + (b"\x80\x00" if dnssec else b"\x00\x00") + b"\x00\x00"
