"""Networks that lead to two peers: which of them overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from awgproxy.config.model import Peer
    from awgproxy.config.values import Network


class Allowed(NamedTuple):
    """One network of ``AllowedIPs``: ``peer`` counts from 1, ``item`` from 0."""

    network: Network
    peer: int
    item: int

    @property
    def place(self) -> tuple[str, str, int]:
        """As `Findings.lines` has it."""
        return (f"peer {self.peer}", "allowedips", self.item)


def overlaps(peers: Sequence[Peer | None]) -> Iterator[tuple[Allowed, Allowed]]:
    """For each network that shares addresses with another peer's: the nearest such one, the earlier of the two first.

    Of two networks that share an address, one holds the other. None stands for a peer that could not be read.
    """
    first_places: dict[tuple[Network, int], int] = {}
    for number, peer in enumerate(peers, 1):
        for item, network in enumerate(peer.allowed_ips if peer is not None else ()):
            first_places.setdefault((network, number), item)
    networks = [Allowed(network, number, item) for (network, number), item in first_places.items()]
    networks.sort(key=lambda each: (each.network.version, each.network.network_address, each.network.prefixlen))
    holding: list[Allowed] = []
    for each in networks:
        while holding and not _holds(holding[-1].network, each.network):
            holding.pop()
        other = next((held for held in reversed(holding) if held.peer != each.peer), None)
        if other is not None:
            yield (other, each) if other[1:] < each[1:] else (each, other)
        holding.append(each)


def _holds(outer: Network, inner: Network) -> bool:
    """Whether ``inner`` lies in ``outer``, which does not begin behind it."""
    return outer.version == inner.version and _last_address(inner) <= _last_address(outer)


def _last_address(network: Network) -> int:
    """As a number. What `ipaddress` gives is kept in the network for ever, and there are thousands of networks."""
    return int(network.network_address) | (1 << network.max_prefixlen - network.prefixlen) - 1
