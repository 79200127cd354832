"""Whether IPv6 leads anywhere behind this tunnel: learnt from which addresses connections came to stand at.

A connection with addresses of both kinds tries IPv6 first and IPv4 250 ms later, or at once where the server answers
that IPv6 is unreachable (RFC 8305). Where IPv4 wins again and again all the same, IPv6 is a black hole, and every
connection pays for it: from then on IPv4 comes first, and AAAA is asked for only of names without IPv4. It stays so
for the tunnel's life, until a connection stands over IPv6 or the server is another one.

Sans-I/O: it is told what happened.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NETWORKS = 3
"""Losses in so many networks of targets, without a success between them, are the tunnel's and not one target's."""
QUICK_SECONDS = 2.0
"""What takes longer than this tells of a tunnel that was down, and nothing of IPv6."""
LOSSES = 8
"""So many are, too, wherever they were."""
_BELOW_SITE = 80
"""Bits of an address after those of a site's network (RFC 6177)."""
_UNIQUE_LOCAL = IPv6Network("fc00::/7")
"""Such are the server itself and what is beside it: they tell nothing of the internet (RFC 4193)."""


class Ipv6Path:
    """What connections have shown of IPv6."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that never go back."""
        self._clock = clock
        self._racing: dict[int, tuple[IPv6Address, float]] = {}
        self._lost_in: set[int] = set()
        self._losses = 0
        self.leads_nowhere = False
        """Whether IPv4 comes first."""

    def in_order(self, addresses: Sequence[str]) -> list[str]:
        """The addresses as they are to be tried."""
        if not self.leads_nowhere:
            return list(addresses)
        return sorted(addresses, key=lambda address: ":" in address)

    def opened(self, flow: int, addresses: Sequence[str]) -> None:
        """A connection tries these addresses in this order."""
        # What comes out counts only of those that gave IPv6 its head start; a success counts of each.
        if addresses and ":" in addresses[0] and any(":" not in address for address in addresses):
            self._racing[flow] = (IPv6Address(addresses[0]), self._clock())

    def connected(self, flow: int, address: str) -> bool:
        """A connection stands at this address; gives whether `leads_nowhere` has changed by that."""
        before = self.leads_nowhere
        raced = self._racing.pop(flow, None)
        if ":" in address:
            if IPv6Address(address) not in _UNIQUE_LOCAL:
                self.forget()
        elif raced is not None and self._clock() - raced[1] <= QUICK_SECONDS:
            self._lost_in.add(int(raced[0]) >> _BELOW_SITE)
            self._losses += 1
            self.leads_nowhere |= len(self._lost_in) >= NETWORKS or self._losses >= LOSSES
        return self.leads_nowhere != before

    def ended(self, flow: int) -> None:
        """A connection has ended, whether it ever stood or not."""
        self._racing.pop(flow, None)

    def forget(self) -> None:
        """What was learnt holds no more: IPv6 works, or the tunnel leads to another server."""
        self._lost_in.clear()
        self._losses = 0
        self.leads_nowhere = False
