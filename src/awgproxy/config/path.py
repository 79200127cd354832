"""How much the network to the other end carries, as far as this machine knows. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awgproxy import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.model import Interface, Peer

USUAL_MTU = 1500
"""Bytes; what is assumed where the system does not tell."""

IPV6_LEAST_MTU = 1280
"""RFC 8200, section 5."""

IPV4_LEAST_MTU = 576

_OUTSIDE = "203.0.113.1"
_DISCARD_PORT = 9
_LARGEST_PACKET = 65_535


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the network: its MTU in bytes, and whether it is IPv6."""

    mtu: int
    ipv6: bool


def path_to(peers: Sequence[Peer]) -> Path:
    """The way to the first peer whose endpoint is an address; else the way out of this machine."""
    addresses = [peer.endpoint.address for peer in peers if peer.endpoint is not None]
    target = next((address for address in addresses if address is not None), None)
    try:
        mtu = min(_native.path_mtu(str(target or _OUTSIDE), _DISCARD_PORT), _LARGEST_PACKET)
    except OSError:
        mtu = USUAL_MTU
    return Path(mtu, ipv6=target is not None and target.version == 6)


def tunnel_mtu(interface: Interface, peers: Sequence[Peer]) -> int:
    """The inner MTU: the configured one, else the largest that crosses the path whole, over IPv4 and IPv6."""
    if interface.mtu is not None:
        return interface.mtu
    path_mtu = min(path_to(peers).mtu, USUAL_MTU)
    least = IPV6_LEAST_MTU if any(address.version == 6 for address in interface.addresses) else IPV4_LEAST_MTU
    return max(least, _native.largest_inner_packet(interface.obfuscation, path_mtu, True))
