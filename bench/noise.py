"""How far the machine was somebody else's while something was measured, and when to measure again."""

from __future__ import annotations

from dataclasses import dataclass

STOLEN_PERCENT = 5.0
OTHERS_PERCENT = 10.0
"""Of the whole machine, beyond which a case is measured again."""
TRIES = 3


@dataclass(frozen=True)
class Noise:
    """Shares of the machine's CPU time, per cent.

    What the hypervisor took, and what was used by processes that have no part in the measurement.
    """

    stolen_percent: float = 0.0
    others_percent: float = 0.0

    def or_worse(self, other: Noise) -> Noise:
        """The worse of both, in each kind."""
        return Noise(max(self.stolen_percent, other.stolen_percent), max(self.others_percent, other.others_percent))

    @property
    def disturbs(self) -> bool:
        """Whether what was measured should not be trusted."""
        return self.badness > 1

    @property
    def badness(self) -> float:
        """1 at the bound of what is tolerated; less is better."""
        return max(self.stolen_percent / STOLEN_PERCENT, self.others_percent / OTHERS_PERCENT)
