"""How much the network to the other end carries, as far as this machine knows. Sends nothing."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.values import IPV4_LEAST_MTU, IPV6_LEAST_MTU, LARGEST_MTU

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awgproxy.config import model
    from awgproxy.config.values import Interface, Network

USUAL_MTU = 1500
"""Bytes; what is assumed where the system does not tell."""

_OUTSIDE = IPv4Address("203.0.113.1")
_DISCARD_PORT = 9
_LARGEST_PACKET = 65_535


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the network: its MTU in bytes, and whether it is IPv6."""

    mtu: int
    ipv6: bool


def path_to(peers: Sequence[model.Peer]) -> Path:
    """The narrowest of the ways to endpoints that are addresses; where there are none, the way out of this machine."""
    addresses = [endpoint.address for peer in peers for endpoint in peer.endpoints]
    targets = [address for address in addresses if address is not None]
    mtus = []
    for target in map(str, targets or [_OUTSIDE]):
        with contextlib.suppress(OSError):
            mtus.append(_native.path_mtu(target, _DISCARD_PORT))
    mtu = min(*mtus, _LARGEST_PACKET) if mtus else USUAL_MTU
    return Path(mtu, ipv6=any(target.version == 6 for target in targets))


def tunnel_mtu(interface: model.Interface, further: Sequence[model.Obfuscation], peers: Sequence[model.Peer]) -> int:
    """The inner MTU: the configured one, else the largest that crosses the path whole, over IPv4 and IPv6.

    With every set of obfuscation parameters, the ``further`` ones too.
    """
    if interface.mtu is not None:
        return interface.mtu
    path_mtu = path_to(peers).mtu
    sections: tuple[model.Obfuscated, ...] = (interface, *further)
    return min(fitting_mtu(one.obfuscation, path_mtu, interface.addresses) for one in sections)


def fitting_mtu(obfuscation: Sequence[tuple[str, str]], path_mtu: int, inside: Iterable[Interface | Network]) -> int:
    """The largest inner MTU for a path of ``path_mtu`` bytes, over IPv4 and IPv6, that ``inside`` allows."""
    fitting = _native.largest_inner_packet(obfuscation, min(path_mtu, USUAL_MTU), True)
    return max(least_mtu(inside), fitting)


def least_mtu(inside: Iterable[Interface | Network]) -> int:
    """What an inner MTU must be at least, for the addresses or networks ``inside`` the tunnel."""
    return IPV6_LEAST_MTU if any(one.version == 6 for one in inside) else IPV4_LEAST_MTU


def most_mtu(obfuscation: Sequence[tuple[str, str]]) -> int:
    """The largest inner MTU whose packets still fit a datagram with their padding; 0 where none does.

    Raises:
        ValueError: the parameters have errors.
    """
    return min(LARGEST_MTU, _native.largest_inner_packet(obfuscation, _LARGEST_PACKET, True))
