"""The measurements. Each takes a running system and where it runs and gives numbers by name; names carry the unit.

Each has a system of its own, just started: what a congestion controller remembers of one transfer must not touch the
next.

down-1, up-1, down-8, up-8              transfers one way, one stream or eight
        down_1_gbit, …                  payload that arrived per second in the window
        …_cpu_client, …_both            CPU seconds per GB (10^9 bytes) of payload
        …_share                         on a link: of its rate times the payload share of a full packet
        …_peak_client_mb, …             VmHWM after them (MB: 10^6 bytes)
times   connections_per_second          32 at once: connect, one byte there and back, close
        first_byte_p50_ms               from opening a connection to the target's first byte
        idle_rtt_p50_ms, bulk_rtt_…     64 bytes to an echo and back, on an idle system and beside a one-stream download
udp     datagrams_per_second            64 bytes to an echo and back, 64 under way, by UDP ASSOCIATE
memory  idle_connection_kb_client, …    memory per connection with 1,000 that have moved a byte and rest
memory-10k                              the same with 10,000: idle_10k_connection_kb_…
start   start_ms, python_ms             the client program, from its start to the first byte; Python with two modules
delay-down, delay-up
        added_delay_p95_down_ms, …      on a link: round trips beside a transfer, less the median of idle ones
        delayed_…_share                 what that transfer reached
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.measures import bulk, delay, memory, start, times, udp

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measures.place import Place

Numbers = dict[str, float]


@dataclass(frozen=True)
class Measure:
    """What measures, and where: on the cable without bounds, on links, and for which systems."""

    run: Callable[[Place], Numbers]
    on_loopback: bool = True
    on_links: bool = False
    needs_processes: bool = False

    def applies(self, *, link: bool, direct: bool) -> bool:
        """Whether it says anything there."""
        return (self.on_links if link else self.on_loopback) and not (direct and self.needs_processes)


MEASURES: dict[str, Measure] = {
    "down-1": Measure(bulk.transfers("down", 1), on_links=True),
    "up-1": Measure(bulk.transfers("up", 1), on_links=True),
    "down-8": Measure(bulk.transfers("down", 8), on_links=True),
    "up-8": Measure(bulk.transfers("up", 8), on_links=True),
    "times": Measure(times.measure),
    "udp": Measure(udp.measure),
    "memory": Measure(memory.of_a_thousand, needs_processes=True),
    "memory-10k": Measure(memory.of_ten_thousand, needs_processes=True),
    "start": Measure(start.measure, needs_processes=True),
    "delay-down": Measure(delay.beside("down"), on_loopback=False, on_links=True),
    "delay-up": Measure(delay.beside("up"), on_loopback=False, on_links=True),
}
