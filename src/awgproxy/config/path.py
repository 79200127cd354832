"""How much the network to the other end carries, as far as this machine knows. Sends nothing.

The sum: IP and UDP headers, S4, 32 bytes of the transport message, the inner packet.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.model import Interface, Peer

USUAL_MTU = 1500
"""Bytes; what is assumed where the system does not tell."""

IPV6_LEAST_MTU = 1280
"""RFC 8200, section 5."""

IPV4_LEAST_MTU = 576

TRANSPORT_OVERHEAD = 32
"""A transport message around an inner packet: type, receiver, counter, tag."""

_IP_MTU = 14  # linux/in.h
_IPV6_MTU = 24  # linux/in6.h
_OUTSIDE = "203.0.113.1"


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the network: its MTU in bytes, and whether it is IPv6."""

    mtu: int
    ipv6: bool

    @property
    def headers(self) -> int:
        """Bytes of IP and UDP before a datagram."""
        return 48 if self.ipv6 else 28

    def largest_inner_packet(self, transport_padding: int) -> int:
        """The largest inner packet that crosses whole, where S4 is ``transport_padding``; may be negative."""
        return self.mtu - self.headers - TRANSPORT_OVERHEAD - transport_padding


def path_to(peers: Sequence[Peer]) -> Path:
    """The way to the first peer whose endpoint is an address; else the way out of this machine."""
    addresses = [peer.endpoint.address for peer in peers if peer.endpoint is not None]
    target = next((address for address in addresses if address is not None), None)
    ipv6 = target is not None and target.version == 6
    return Path(_system_mtu(str(target or _OUTSIDE), ipv6=ipv6), ipv6)


def tunnel_mtu(interface: Interface, peers: Sequence[Peer]) -> int:
    """The inner MTU: the configured one, else the largest that crosses the path whole, over IPv4 and IPv6."""
    if interface.mtu is not None:
        return interface.mtu
    mtu = min(path_to(peers).mtu, USUAL_MTU)
    least = IPV6_LEAST_MTU if any(address.version == 6 for address in interface.addresses) else IPV4_LEAST_MTU
    return max(least, Path(mtu, ipv6=True).largest_inner_packet(interface.transport_padding))


def _system_mtu(address: str, *, ipv6: bool) -> int:
    """The MTU of the route to an address, from a socket that is connected and sends nothing."""
    if not sys.platform.startswith("linux"):
        return USUAL_MTU
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    level, option = (socket.IPPROTO_IPV6, _IPV6_MTU) if ipv6 else (socket.IPPROTO_IP, _IP_MTU)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return probe.getsockopt(level, option)
    except OSError:
        return USUAL_MTU
