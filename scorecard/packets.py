"""What detectors see: datagrams with their time, direction and payload, by flow."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Packet:
    """A datagram: when it passed (seconds since the epoch), whether the client sent it, and what UDP carried."""

    at: float
    up: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Flow:
    """What one client process said to its server and heard from it: one UDP five-tuple.

    `pair` names the generated pair of configurations, `port` is the client's UDP port, unique within a capture, `kind`
    is what the applications behind the client did (`scorecard.traffic`).
    """

    pair: str
    port: int
    kind: str
    packets: tuple[Packet, ...]

    def direction(self, *, up: bool) -> list[Packet]:
        """The client's packets, or the server's."""
        return [packet for packet in self.packets if packet.up is up]

    def silences(self, least: float) -> Iterator[tuple[float, Packet]]:
        """Each silence of both ends longer than `least` seconds: how long it was, and the packet that ended it."""
        for before, after in itertools.pairwise(self.packets):
            if after.at - before.at > least:
                yield after.at - before.at, after


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found: `flagged` of `of` (flows, or what the test counts), and a remark in words.

    `of` is 0 where nothing could be judged.
    """

    flagged: int
    of: int
    remark: str = ""

    @property
    def share(self) -> float:
        """The flagged share, 0 to 1; 0 of nothing."""
        return self.flagged / self.of if self.of else 0.0
