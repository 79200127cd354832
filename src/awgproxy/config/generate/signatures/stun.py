"""A STUN Binding request (RFC 8489), as I1: a connectivity check of ICE (RFC 8445, section 7.1), as calls begin.

Without FINGERPRINT: a checksum over what is random cannot be had in tags, and RFC 8489 leaves it open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.tags import random_bytes, random_letters, static

if TYPE_CHECKING:
    from random import Random

_BINDING_REQUEST = bytes.fromhex("0001")
_MAGIC_COOKIE = bytes.fromhex("2112a442")
_USERNAME, _MESSAGE_INTEGRITY, _PRIORITY = 0x0006, 0x0008, 0x0024
_ICE_CONTROLLING, _ICE_CONTROLLED, _NETWORK = 0x802A, 0x8029, 0xC057
"""The last is what Chromium tells of its network: an id and a cost."""
_PEER_REFLEXIVE = 110
"""A type preference (RFC 8445, section 5.1.2.2)."""


def binding_request(random: Random) -> str:
    """Draw a check: its lengths and priority are the pair's, its names, tie-breaker and integrity each packet's."""
    theirs, ours = (random.choice((4, 8, 16)) for _ in range(2))
    length = theirs + 1 + ours
    attributes = [
        _attribute(_USERNAME, length),
        random_letters(theirs) + static(b":") + random_letters(ours),
        static(bytes(-length % 4)) if length % 4 else "",
    ]
    size = 4 + length + -length % 4
    if random.random() < 0.5:
        network = random.randint(1, 8).to_bytes(2) + random.choice((0, 10, 50)).to_bytes(2)
        attributes.append(_attribute(_NETWORK, 4, network))
        size += 8
    priority = (_PEER_REFLEXIVE << 24) | (random.randint(1, 0xFFFF) << 8) | 0xFF
    attributes += [
        _attribute(random.choice((_ICE_CONTROLLING, _ICE_CONTROLLED)), 8),
        random_bytes(8),
        _attribute(_PRIORITY, 4, priority.to_bytes(4)),
        _attribute(_MESSAGE_INTEGRITY, 20),
        random_bytes(20),
    ]
    size += 12 + 8 + 24
    return static(_BINDING_REQUEST + size.to_bytes(2) + _MAGIC_COOKIE) + random_bytes(12) + "".join(attributes)


def _attribute(kind: int, length: int, value: bytes = b"") -> str:
    return static(kind.to_bytes(2) + length.to_bytes(2) + value)
