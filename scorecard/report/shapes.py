"""Sizes and gaps of a recording, few enough to hand on and to draw."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from scorecard.world.recording import Recording


@dataclass(frozen=True, slots=True)
class Shapes:
    """How often each UDP payload size came, by direction, and each gap between datagrams of a flow (milliseconds)."""

    profile: str
    up: dict[int, int]
    down: dict[int, int]
    gaps: dict[int, int]

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """Count a recording."""
        sizes: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
        gaps: Counter[int] = Counter()
        for flow in recording.flows:
            for packet in flow.packets:
                sizes[packet.up][len(packet.payload)] += 1
            for before, after in itertools.pairwise(flow.packets):
                gaps[round(1000 * (after.at - before.at))] += 1
        return cls(recording.profile.name, dict(sizes[True]), dict(sizes[False]), dict(gaps))
