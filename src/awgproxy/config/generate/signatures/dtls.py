"""A DTLS 1.2 ClientHello (RFC 6347, section 4), as I1: the first one of a browser's call, without a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.tags import random_bytes, static
from awgproxy.config.generate.signatures.tls import extension, numbers, sized

if TYPE_CHECKING:
    from random import Random

_CIPHERS = (0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014)
_GROUPS = (0x001D, 0x0017, 0x0018)
_ALGORITHMS = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
_PROFILES = (0x0001, 0x0007, 0x0008)
_VERSION_1_0, _VERSION_1_2 = b"\xfe\xff", b"\xfe\xfd"
_HANDSHAKE, _CLIENT_HELLO = b"\x16", b"\x01"
_RANDOM_SIZE = 32


def client_hello(random: Random) -> str:
    """Draw a hello: its lists and their order are the pair's, its random is each packet's."""
    extensions = [
        extension(0x0017),  # extended master secret (RFC 7627)
        extension(0xFF01, b"\x00"),  # renegotiation info (RFC 5746)
        extension(0x000B, b"\x01\x00"),  # uncompressed points (RFC 8422)
        extension(0x000A, numbers(_some(_GROUPS, 2, random))),
        extension(0x000D, numbers(_some(_ALGORITHMS, 5, random))),
        extension(0x000E, numbers(_some(_PROFILES, 1, random)) + b"\x00"),  # SRTP profiles (RFC 5764)
    ]
    random.shuffle(extensions)
    no_session, no_cookie, no_compression = b"\x00", b"\x00", b"\x01\x00"
    suites = numbers(_some(_CIPHERS, 4, random))
    after = no_session + no_cookie + suites + no_compression + sized(b"".join(extensions), 2)
    size = len(_VERSION_1_2) + _RANDOM_SIZE + len(after)
    length, first_message, from_its_start = size.to_bytes(3), bytes(2), bytes(3)
    message = _CLIENT_HELLO + length + first_message + from_its_start + length + _VERSION_1_2
    epoch_and_number = bytes(8)
    record = _HANDSHAKE + _VERSION_1_0 + epoch_and_number + (12 + size).to_bytes(2)
    return static(record + message) + random_bytes(_RANDOM_SIZE) + static(after)


def _some(values: tuple[int, ...], least: int, random: Random) -> list[int]:
    """At least ``least`` of the values, in random order."""
    return random.sample(values, random.randint(least, len(values)))
