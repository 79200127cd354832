"""Where systems are measured: on a cable without bounds, and on links with a rate, a delay, loss and a finite queue."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.systems.system import FAR, NEAR, Sides
from interop.counterparts import link, namespaces
from interop.counterparts.link import Conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = 30


@dataclass(frozen=True)
class Link:
    """A link's two directions, each with all of this but the delay, of which each has half.

    `rate` in bits per second of whole IP packets, `round_trip` in seconds, `loss` a probability per packet and
    direction, `queue` in bytes of IP packets, beyond which a packet is dropped.
    """

    rate: float
    round_trip: float
    loss: float
    queue: int

    @classmethod
    def with_one_bdp(cls, rate: float, round_trip: float, loss: float) -> Link:
        """A link whose queue holds as much as is under way: rate times round trip."""
        return cls(rate, round_trip, loss, int(rate * round_trip / 8))

    def direction(self) -> Conditions:
        """What each direction does."""
        return Conditions(rate=int(self.rate), queue=self.queue, delay=self.round_trip / 2, loss=self.loss)


@dataclass(frozen=True)
class Scenario:
    """One place to measure at: what it is called in words, and its link, if it has one."""

    title: str
    link: Link | None = None

    @property
    def warmup(self) -> float:
        """How long a transfer runs before its window, seconds: twenty round trips, three seconds at least on a link."""
        return max(3.0, 20 * self.link.round_trip) if self.link else 1.0

    @contextlib.contextmanager
    def sides(self) -> Iterator[Sides]:
        """The two namespaces, with the link between them."""
        with _joined(self.link) as sides:
            for side in (sides.near, sides.far):
                # Every connection of a round ends at one target: let ports in TIME-WAIT serve again.
                side.set("net.ipv4.ip_local_port_range", "10000 65000")
                side.set("net.ipv4.tcp_tw_reuse", "1")
            yield sides


SCENARIOS: dict[str, Scenario] = {
    "loopback": Scenario("a cable between two namespaces of one machine: bound by its processors"),
    "50ms-0%": Scenario("500 Mbit/s, 50 ms, no loss", Link.with_one_bdp(500e6, 0.050, 0)),
    "50ms-1%": Scenario("500 Mbit/s, 50 ms, 1 % loss", Link.with_one_bdp(500e6, 0.050, 0.01)),
    "100ms-2%": Scenario("500 Mbit/s, 100 ms, 2 % loss", Link.with_one_bdp(500e6, 0.100, 0.02)),
    "200ms-5%": Scenario("500 Mbit/s, 200 ms, 5 % loss", Link.with_one_bdp(500e6, 0.200, 0.05)),
    "queue-1MB": Scenario("200 Mbit/s, 50 ms, a queue of 1 MB", Link(200e6, 0.050, 0, 1_000_000)),
}
"""By name. Delays are round trips, loss is per direction."""

LINKS = tuple(name for name, scenario in SCENARIOS.items() if scenario.link)


@contextlib.contextmanager
def _joined(conditions: Link | None) -> Iterator[Sides]:
    near_address, far_address = f"{NEAR}/{PREFIX}", f"{FAR}/{PREFIX}"
    if conditions is None:
        with namespaces.pair(near_address, far_address) as (near, far):
            yield Sides(near, far)
        return
    with link.joined(near_address, far_address, conditions.direction()) as (near, far, control):
        yield Sides(near, far, [control.process])
