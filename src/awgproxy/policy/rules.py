"""The order of egress rules: the narrowest word wins, as with routes, and where two are equal the refusal does.

Networks: an address is judged by the smallest network that holds it, whether ``Allow``, ``Deny`` or a default names it;
of equal ones ``Deny`` wins over ``Allow``, and ``Allow`` over a default. So ``Allow = 10.1.0.0/16`` opens that network
and no other private one, and ``Allow = 0.0.0.0/0`` opens nothing that is refused by default.
Ports: the same with ranges. A destination must pass by its address and by its port.

A peer's own words stand beside the server's: of equal ones the peer's win, both of them. A client has no defaults: what
it does not deny it allows.

An address that stands for another one (IPv4-mapped, NAT64, 6to4) must pass as both: the extension sees to that.
"""

from __future__ import annotations

from ipaddress import ip_network
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from awgproxy.config.values import LAST_PORT, PortRange
from awgproxy.policy.defaults import ALLOWED_NETWORKS, PRIVATE, REFUSED_NETWORKS, REFUSED_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from awgproxy.config import Client, Rules, Server
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


_DENIED_TO_PEER = _Word(allow=False, rank=0, reason="denied to this peer")
_ALLOWED_TO_PEER = _Word(allow=True, rank=1, reason="allowed to this peer")
_DENIED = _Word(allow=False, rank=2, reason="denied by the configuration")
_ALLOWED = _Word(allow=True, rank=3, reason="allowed by the configuration")
_DEFAULT_RANK = 4
_PRIVATE = _Word(allow=True, rank=_DEFAULT_RANK, reason="allowed by AllowPrivate")
_FORM_OF_IPV4 = _Word(allow=True, rank=_DEFAULT_RANK, reason="a form of an IPv4 address")

_Networks = list[tuple["Network", _Word]]
_Ports = list[tuple[PortRange, _Word]]


def egress_rules(
    server: Server, tunnel: Sequence[Interface], host: Iterable[Address] = (), peer: Rules | None = None
) -> list[Rule]:
    """A server's rules in order: for its peers, or for one that has rules of its own.

    ``tunnel``: the server's addresses in the tunnel with their networks. ``host``: the machine's other addresses.
    """
    networks, ports = _words(server, _DENIED, _ALLOWED)
    if peer is not None:
        own_networks, own_ports = _words(peer, _DENIED_TO_PEER, _ALLOWED_TO_PEER)
        networks += own_networks
        ports += own_ports
    networks += _default_networks(server, tunnel, host)
    ports += [(range_, _refused("")) for range_ in REFUSED_PORTS]
    return _ordered(networks, ports)


def client_rules(client: Client) -> list[Rule]:
    """A client's rules in order; what none of them speaks of is allowed."""
    return _ordered(*_words(client, _DENIED, _ALLOWED))


def _words(rules: Rules, denied: _Word, allowed: _Word) -> tuple[_Networks, _Ports]:
    """What a section says."""
    networks = [*((network, denied) for network in rules.deny), *((network, allowed) for network in rules.allow)]
    ports = [*((one, denied) for one in rules.deny_ports), *((one, allowed) for one in rules.allow_ports)]
    return networks, ports


def _default_networks(server: Server, tunnel: Sequence[Interface], host: Iterable[Address]) -> _Networks:
    return [
        *((ip_network(address), _refused("the server's own address")) for address in host),
        *((ip_network(address.ip), _refused("the server's own address")) for address in tunnel),
        *((address.network, _refused("the tunnel's own network")) for address in tunnel),
        *((network, _FORM_OF_IPV4) for network in ALLOWED_NETWORKS),
        *(
            (network, _PRIVATE if server.allow_private and reason in PRIVATE else _refused(reason))
            for network, reason in REFUSED_NETWORKS
        ),
    ]


def _ordered(networks: _Networks, ports: _Ports) -> list[Rule]:
    """The rules that say what the words say, those on ports first, since both must let a destination pass."""
    networks.sort(key=lambda word: (-word[0].prefixlen, word[1].rank))
    ports.sort(key=lambda word: (word[0].last - word[0].first, word[1].rank))
    return [
        *(
            Rule(
                allow=False, network=network, first_port=refused.first, last_port=refused.last, reason=f"port {refused}"
            )
            for refused in _refused_ports(ports)
            for network in EVERYWHERE
        ),
        *(Rule(word.allow, str(network), 0, LAST_PORT, word.reason) for network, word in networks),
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
