"""The TLS 1.3 ClientHello of a browser that opens a QUIC connection again (RFC 8446, RFC 9001).

What Chromium offered over QUIC before post-quantum key shares made its hellos larger than a datagram (version 124), in
random order as Chromium has it, with a ticket of an earlier connection and early data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from awgproxy.config.generate.signatures.names import random_domain, random_host
from awgproxy.config.generate.signatures.tls import extension, numbers, sized
from awgproxy.config.quic import variable_length

if TYPE_CHECKING:
    from random import Random

_VERSION_1_2, _VERSION_1_3 = 0x0303, 0x0304
_QUIC_VERSION_1 = b"\x00\x00\x00\x01"
_SUITES = (0x1301, 0x1302, 0x1303)
_X25519 = 0x001D
_GROUPS = (_X25519, 0x0017, 0x0018)
_ALGORITHMS = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201)
_ALPN = b"\x02h3"
_TICKET_SIZES = (140, 220)
_ENCRYPTED_HELLO_SIZES = (144, 176, 208)


def client_hello(random: Random) -> bytes:
    """Draw a hello: name, keys, ticket and the order of what may come in any order."""
    name = f"{random_host(random)}.{random_domain(random)}".encode()
    share = _public_key(random)
    extensions = [
        extension(0x0000, sized(b"\x00" + sized(name, 2), 2)),  # server name
        extension(0x000A, numbers(_GROUPS)),
        extension(0x000D, numbers(_ALGORITHMS)),
        extension(0x0010, sized(_ALPN, 2)),  # application protocol
        extension(0x001B, sized(b"\x00\x02", 1)),  # certificates compressed by Brotli (RFC 8879)
        extension(0x002A),  # early data
        extension(0x002B, sized(_VERSION_1_3.to_bytes(2), 1)),
        extension(0x002D, sized(b"\x01", 1)),  # a ticket with a new key exchange
        extension(0x0033, sized(_X25519.to_bytes(2) + sized(share, 2), 2)),
        extension(0x0039, _transport_parameters(random)),
        extension(0x4469, sized(_ALPN, 2)),  # application settings
        extension(0xFE0D, _no_encrypted_hello(random)),
    ]
    random.shuffle(extensions)
    extensions.append(extension(0x0029, _ticket(random)))  # which stands last (RFC 8446, section 4.2.11)
    no_session, no_compression = b"\x00", b"\x01\x00"
    hello = _VERSION_1_2.to_bytes(2) + random.randbytes(32) + no_session + numbers(_SUITES) + no_compression
    return b"\x01" + sized(hello + sized(b"".join(extensions), 2), 3)


def _public_key(random: Random) -> bytes:
    return X25519PrivateKey.from_private_bytes(random.randbytes(32)).public_key().public_bytes_raw()


def _transport_parameters(random: Random) -> bytes:
    """What Chromium says of itself (RFC 9000, section 18.2), a reserved parameter and a reserved version among it."""
    numeric = {0x01: 30_000, 0x03: 1472, 0x04: 15_728_640, 0x05: 6_291_456, 0x06: 6_291_456, 0x07: 6_291_456}
    numeric |= {0x08: 100, 0x09: 103, 0x20: 65_536}
    parameters = [_parameter(kind, variable_length(value)) for kind, value in numeric.items()]
    reserved_version = bytes((random.getrandbits(4) << 4) | 0x0A for _ in range(4))
    versions = [_QUIC_VERSION_1, reserved_version]
    random.shuffle(versions)
    parameters += [
        _parameter(0x0F, b""),  # the empty source connection id
        _parameter(0x11, _QUIC_VERSION_1 + b"".join(versions)),  # RFC 9368
        _parameter(31 * random.randrange(1 << 40) + 27, random.randbytes(random.randint(0, 16))),
    ]
    random.shuffle(parameters)
    return b"".join(parameters)


def _parameter(kind: int, value: bytes) -> bytes:
    return variable_length(kind) + variable_length(len(value)) + value


def _no_encrypted_hello(random: Random) -> bytes:
    """What stands where no encrypted hello can be had: random bytes in its shape (RFC 9849, section 6.2)."""
    outer, hkdf_sha256, aes_128_gcm = b"\x00", b"\x00\x01", b"\x00\x01"
    opening = outer + hkdf_sha256 + aes_128_gcm + random.randbytes(1)
    return opening + sized(_public_key(random), 2) + sized(random.randbytes(random.choice(_ENCRYPTED_HELLO_SIZES)), 2)


def _ticket(random: Random) -> bytes:
    identity = sized(random.randbytes(random.randint(*_TICKET_SIZES)), 2) + random.randbytes(4)
    return sized(identity, 2) + sized(sized(random.randbytes(32), 1), 2)
