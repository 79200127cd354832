"""What a signature packet claims to be, by the bytes that everybody looks at, and what is wrong with it as that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import dns.exception
import dns.message

from awgproxy.config.quic import LEAST_DATAGRAM, opened_initial

if TYPE_CHECKING:
    from collections.abc import Callable

    from awgproxy.config.shape import Signature

_QUIC_VERSIONS = (b"\x00\x00\x00\x01", b"\x6b\x33\x43\xcf")
_STUN_COOKIE = b"\x21\x12\xa4\x42"
_DTLS_HANDSHAKE, _DTLS_VERSIONS = 0x16, (b"\xfe\xff", b"\xfe\xfd")
_SIP_REQUEST = re.compile(rb"[A-Z]+ sip:\S+ SIP/2\.0\r\n")
_NTP_SIZE, _NTP_CLIENTS = 48, frozenset(leap << 6 | version << 3 | 3 for leap in (0, 3) for version in (3, 4))
_DNS_HEADER, _DNS_QUERY = 12, (b"\x00\x00\x00\x01", b"\x01\x00\x00\x01", b"\x01\x20\x00\x01")


@dataclass(frozen=True, slots=True)
class Claim:
    """``fault``: why it is not recognised; empty where it is. ``port``: the only one where it is, if there is one."""

    protocol: str
    fault: str = ""
    port: int | None = None


def claim_of(signature: Signature) -> Claim | None:
    """What a signature packet claims, judged by one of its packets; None where it is nothing that is known here."""
    packet = signature.example
    return next((claim for judge in _JUDGES if (claim := judge(packet)) is not None), None)


def _quic(packet: bytes) -> Claim | None:
    if not packet or packet[0] & 0xC0 != 0xC0 or packet[1:5] not in _QUIC_VERSIONS:
        return None
    if len(packet) < LEAST_DATAGRAM:
        return Claim("QUIC", f"has {len(packet)} bytes: an Initial has {LEAST_DATAGRAM} at least")
    if opened_initial(packet) is None:
        return Claim("QUIC", "is no Initial of version 1 that could be opened")
    return Claim("QUIC")


def _stun(packet: bytes) -> Claim | None:
    if packet[4:8] != _STUN_COOKIE or packet[0] & 0xC0:
        return None
    length = int.from_bytes(packet[2:4])
    if length != len(packet) - 20 or length % 4:
        return Claim("STUN", f"says that {length} bytes follow its header where {len(packet) - 20} do")
    return Claim("STUN")


def _dtls(packet: bytes) -> Claim | None:
    if not packet or packet[0] != _DTLS_HANDSHAKE or packet[1:3] not in _DTLS_VERSIONS:
        return None
    length = int.from_bytes(packet[11:13])
    if length != len(packet) - 13:
        return Claim("DTLS", f"says that {length} bytes follow its header where {len(packet) - 13} do")
    return Claim("DTLS")


def _sip(packet: bytes) -> Claim | None:
    if _SIP_REQUEST.match(packet) is None:
        return None
    lacks = [name for name in (b"Via", b"From", b"To", b"Call-ID", b"CSeq") if b"\r\n" + name + b": " not in packet]
    if lacks or b"\r\n\r\n" not in packet:
        return Claim("SIP", f"lacks {b', '.join(lacks).decode() or 'the empty line after its headers'}")
    return Claim("SIP")


def _ntp(packet: bytes) -> Claim | None:
    if len(packet) != _NTP_SIZE or packet[0] not in _NTP_CLIENTS:
        return None
    return Claim("NTP", port=123)


def _dns(packet: bytes) -> Claim | None:
    if len(packet) <= _DNS_HEADER or packet[2:6] not in _DNS_QUERY or packet[6:10] != bytes(4):
        return None
    try:
        dns.message.from_wire(packet)
    except dns.exception.DNSException:
        return Claim("DNS", "is no whole query")
    return Claim("DNS", port=53)


_JUDGES: Final[tuple[Callable[[bytes], Claim | None], ...]] = (_quic, _stun, _dtls, _sip, _ntp, _dns)
