"""QUIC version 1 as far as its Initial packets go: numbers, and the protection that everybody can take off.

RFC 9000, sections 16 and 17.2; RFC 9001, section 5. The keys of an Initial are made of its destination connection id.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

VERSION_1 = b"\x00\x00\x00\x01"
LEAST_DATAGRAM = 1200
"""Bytes of a datagram with an Initial at least (RFC 9000, section 14.1)."""

TAG_SIZE = 16
_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_SAMPLE_SIZE = 16
_INITIAL, _LONG_HEADER_BITS = 0xC0, 0xF0


@dataclass(frozen=True, slots=True)
class InitialKeys:
    """What protects a client's Initials."""

    key: bytes
    iv: bytes
    header_protection: bytes

    @classmethod
    def of(cls, destination: bytes) -> InitialKeys:
        """Derive them from a destination connection id (RFC 9001, section 5.2)."""
        secret = _expand(hmac.digest(_SALT, destination, "sha256"), b"client in", 32)
        return cls(_expand(secret, b"quic key", 16), _expand(secret, b"quic iv", 12), _expand(secret, b"quic hp", 16))

    def nonce(self, number: int) -> bytes:
        """What a packet's number makes of the IV."""
        return bytes(one ^ other for one, other in zip(self.iv, number.to_bytes(12), strict=True))

    def mask(self, sample: bytes) -> bytes:
        """What hides the first byte and the packet number (RFC 9001, section 5.4.3)."""
        encryptor = Cipher(AES(self.header_protection), ECB()).encryptor()  # noqa: S305 - the RFC's way, of one block
        return encryptor.update(sample)


def variable_length(value: int, width: int = 0) -> bytes:
    """A number in QUIC's encoding (RFC 9000, section 16), in ``width`` bytes at least."""
    for exponent in range(4):
        size = 1 << exponent
        if size >= width and value < 1 << (8 * size - 2):
            return ((exponent << (8 * size - 2)) | value).to_bytes(size)
    raise ValueError("QUIC's numbers have at most 62 bits")


def initial(destination: bytes, number: int, number_size: int, frames: bytes) -> bytes:
    """A client's protected Initial with an empty source connection id and no token."""
    keys = InitialKeys.of(destination)
    connection_ids_and_token = bytes([len(destination)]) + destination + b"\x00\x00"
    length = variable_length(number_size + len(frames) + TAG_SIZE, 2)
    encoded = number.to_bytes(number_size)
    header = bytes([_INITIAL | (number_size - 1)]) + VERSION_1 + connection_ids_and_token + length + encoded
    sealed = AESGCM(keys.key).encrypt(keys.nonce(number), frames, header)
    sample = sealed[4 - number_size :][:_SAMPLE_SIZE]
    return _header_masked(header, number_size, keys.mask(sample)) + sealed


def opened_initial(datagram: bytes) -> bytes | None:
    """The frames of the client's Initial that a datagram begins with; None where there is none that authenticates."""
    try:
        if datagram[0] & _LONG_HEADER_BITS != _INITIAL or datagram[1:5] != VERSION_1:
            return None
        destination, at = _counted(datagram, 5)
        _, at = _counted(datagram, at)
        token_size, at = _read_number(datagram, at)
        length, at = _read_number(datagram, at + token_size)
        keys = InitialKeys.of(destination)
        mask = keys.mask(datagram[at + 4 : at + 4 + _SAMPLE_SIZE])
        number_size = ((datagram[0] ^ mask[0]) & 0x03) + 1
        header = _header_masked(datagram[: at + number_size], number_size, mask)
        sealed = datagram[at + number_size : at + length]
        return AESGCM(keys.key).decrypt(keys.nonce(int.from_bytes(header[-number_size:])), sealed, header)
    except (IndexError, ValueError, InvalidTag):
        return None


def _header_masked(header: bytes, number_size: int, mask: bytes) -> bytes:
    """The header with its protection put on or taken off (RFC 9001, section 5.4.1)."""
    first = header[0] ^ (mask[0] & 0x0F)
    number = bytes(one ^ other for one, other in zip(header[-number_size:], mask[1:], strict=False))
    return bytes([first]) + header[1:-number_size] + number


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1)."""
    full = b"tls13 " + label
    return HKDFExpand(SHA256(), size, size.to_bytes(2) + bytes([len(full)]) + full + b"\x00").derive(secret)


def _counted(datagram: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1 + datagram[at]
    return datagram[at + 1 : end], end


def _read_number(datagram: bytes, at: int) -> tuple[int, int]:
    size = 1 << (datagram[at] >> 6)
    return int.from_bytes(datagram[at : at + size]) & ((1 << (8 * size - 2)) - 1), at + size
