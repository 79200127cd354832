"""Recipes for I1, the packet that opens a handshake: something that networks see all day, in AWG 2.0's tags.

Each is a whole and valid message of its protocol, drawn anew for each pair, and again random in each packet where the
protocol has it so. The tags are those that every AmneziaWG takes: b, r, rc, rd. One file a protocol.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from awgproxy.config.generate.signatures import dns, dtls, ntp, quic, sip, stun
from awgproxy.config.quic import LEAST_DATAGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random


class Signature(StrEnum):
    """What the first packet claims to be."""

    QUIC = "quic"
    DNS = "dns"
    STUN = "stun"
    SIP = "sip"
    DTLS = "dtls"
    NTP = "ntp"
    NONE = "none"


RECIPES: Final[Mapping[Signature, Callable[[Random], str]]] = {
    Signature.QUIC: quic.initial,
    Signature.DNS: dns.query,
    Signature.STUN: stun.binding_request,
    Signature.SIP: sip.options,
    Signature.DTLS: dtls.client_hello,
    Signature.NTP: ntp.request,
}
"""How each is drawn."""

USUAL_PORTS: Final[Mapping[Signature, int]] = {
    Signature.QUIC: 443,
    Signature.DNS: 53,
    Signature.STUN: 3478,
    Signature.SIP: 5060,
    Signature.NTP: 123,
}
"""Where a protocol's servers are found (IANA's registry)."""

BOUND_TO_PORT: Final = frozenset({Signature.DNS, Signature.NTP})
"""What is recognised at its usual port only, since its first bytes say little."""

AT_ANY_PORT: Final = (Signature.STUN, Signature.DTLS)
"""What is believed at any port, with encrypted datagrams after it: calls in browsers begin so."""


def random_signature(signature: Signature, path_mtu: int, random: Random) -> str:
    """Draw a recipe that fits the path; ``signature`` is not `Signature.NONE`."""
    if signature is Signature.QUIC and path_mtu < quic.CHROMIUM_PATH_MTU:
        return quic.initial(random, LEAST_DATAGRAM)
    return RECIPES[signature](random)


def sensible_signature(port: int, path_mtu: int, random: Random) -> Signature:
    """Draw what is believed at a server's port, and fits the path."""
    for signature, usual in USUAL_PORTS.items():
        if port == usual and (signature is not Signature.QUIC or path_mtu >= quic.LEAST_PATH_MTU):
            return signature
    return random.choice(AT_ANY_PORT)
