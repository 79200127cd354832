"""The order of egress rules: the narrowest word wins, as with routes, and where two are equal the refusal does.

Networks: an address is judged by the smallest network that holds it, whether ``Allow``, ``Deny`` or a default names it;
of equal ones ``Deny`` wins over ``Allow``, and ``Allow`` over a default. So ``Allow = 10.1.0.0/16`` opens that network
and no other private one, and ``Allow = 0.0.0.0/0`` opens nothing that is refused by default.
Ports: the same with ranges. A destination must pass by its address and by its port.

An address that stands for another one (IPv4-mapped, NAT64, 6to4) must pass as both: the extension sees to that.
"""

from __future__ import annotations

from ipaddress import ip_network
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from awgproxy._native import EgressPolicy
from awgproxy.config.values import LAST_PORT, PortRange
from awgproxy.errors import PolicyDenied
from awgproxy.policy.defaults import ALLOWED_NETWORKS, PRIVATE, REFUSED_NETWORKS, REFUSED_PORTS
from awgproxy.policy.host import host_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awgproxy.config import Config, Server
    from awgproxy.config.values import Address, Interface, Network

EVERYWHERE = ("0.0.0.0/0", "::/0")


class Rule(NamedTuple):
    """One rule as the extension takes it: the first that matches decides; where none does, all is allowed."""

    allow: bool
    network: str
    first_port: int
    last_port: int
    reason: str


class _Word(NamedTuple):
    """Somebody's word on a network or a range of ports. ``rank``: who wins among equals, the lower one."""

    allow: bool
    rank: int
    reason: str


_DENY = _Word(allow=False, rank=0, reason="denied by the configuration")
_ALLOW = _Word(allow=True, rank=1, reason="allowed by the configuration")
_DEFAULT_RANK = 2
_PRIVATE = _Word(allow=True, rank=_DEFAULT_RANK, reason="allowed by AllowPrivate")
_FORM_OF_IPV4 = _Word(allow=True, rank=_DEFAULT_RANK, reason="a form of an IPv4 address")


def egress_policy(config: Config) -> EgressPolicy:
    """The policy of a server, compiled. The machine's own addresses are read now."""
    return EgressPolicy(egress_rules(config.server, config.interface.addresses, host_addresses()))


def require_allowed(policy: EgressPolicy, address: str, port: int) -> None:
    """Raise `PolicyDenied` unless a destination is allowed.

    Raises:
        PolicyDenied: with the reason that the rule gives.
        ValueError: `address` is not an IP address.
    """
    reason = policy.verdict(address, port)
    if reason is not None:
        raise PolicyDenied(address, port, reason)


def egress_rules(server: Server, tunnel: Sequence[Interface], host: Iterable[Address] = ()) -> list[Rule]:
    """The rules in order.

    ``tunnel``: the server's addresses in the tunnel with their networks. ``host``: the machine's other addresses.
    """
    return [*_port_rules(server), *_network_rules(server, tunnel, host)]


def _network_rules(server: Server, tunnel: Sequence[Interface], host: Iterable[Address]) -> list[Rule]:
    words: list[tuple[Network, _Word]] = [
        *((network, _DENY) for network in server.deny),
        *((network, _ALLOW) for network in server.allow),
        *((ip_network(address), _refused("the server's own address")) for address in host),
        *((ip_network(address.ip), _refused("the server's own address")) for address in tunnel),
        *((address.network, _refused("the tunnel's own network")) for address in tunnel),
        *((network, _FORM_OF_IPV4) for network in ALLOWED_NETWORKS),
        *(
            (network, _PRIVATE if server.allow_private and reason in PRIVATE else _refused(reason))
            for network, reason in REFUSED_NETWORKS
        ),
    ]
    words.sort(key=lambda word: (-word[0].prefixlen, word[1].rank))
    return [Rule(word.allow, str(network), 0, LAST_PORT, word.reason) for network, word in words]


def _port_rules(server: Server) -> list[Rule]:
    words: list[tuple[PortRange, _Word]] = [
        *((ports, _DENY) for ports in server.deny_ports),
        *((ports, _ALLOW) for ports in server.allow_ports),
        *((ports, _refused("")) for ports in REFUSED_PORTS),
    ]
    words.sort(key=lambda word: (word[0].last - word[0].first, word[1].rank))
    return [
        Rule(allow=False, network=network, first_port=ports.first, last_port=ports.last, reason=f"port {ports}")
        for ports in _refused_ports(words)
        for network in EVERYWHERE
    ]


def _refused_ports(words: Sequence[tuple[PortRange, _Word]]) -> list[PortRange]:
    """The ports that the first word about them refuses, as ranges that neither overlap nor touch."""
    edges = sorted({edge for ports, _ in words for edge in (ports.first, ports.last + 1)})
    refused: list[PortRange] = []
    for first, end in pairwise(edges):
        decisive = next((word for ports, word in words if ports.first <= first <= ports.last), None)
        if decisive is None or decisive.allow:
            continue
        if refused and refused[-1].last + 1 == first:
            refused[-1] = PortRange(refused[-1].first, end - 1)
        else:
            refused.append(PortRange(first, end - 1))
    return refused


def _refused(reason: str) -> _Word:
    return _Word(allow=False, rank=_DEFAULT_RANK, reason=reason)
