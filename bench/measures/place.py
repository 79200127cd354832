"""Where a measure runs, and the noise that it met there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import load
from bench.noise import Noise
from interop.counterparts import ends

if TYPE_CHECKING:
    from bench.scenarios import Scenario
    from bench.systems import System


@dataclass
class Place:
    """A running system in a scenario; `seconds` is the length of a bulk window.

    `noise` is the worst of all loads so far.
    """

    system: System
    scenario: Scenario
    seconds: float
    noise: Noise = field(default_factory=Noise)

    def load(self, kind: str, service: str, *options: str) -> load.Result:
        """Run one load to its end; `load.run` says what comes back."""
        result = load.run(self.system, kind, service, *options)
        self.noise = self.noise.or_worse(result["noise"])
        return result

    def bulk_options(self, direction: str) -> list[str]:
        """What makes a load's bulk transfers go in that direction here."""
        return ["-direction", direction, "-duration", f"{self.seconds}s", "-warmup", f"{self.scenario.warmup}s"]

    def service(self, name: str) -> str:
        """Where the load finds a service."""
        return ends.join(*self.system.services[name])

    def share(self, bits_per_second: float) -> float:
        """What a payload rate is of what the link could carry of it. Only on links."""
        assert self.scenario.link is not None
        return bits_per_second / (self.scenario.link.rate * self.system.share)


BULK_SERVICES = {"down": "source", "up": "meter"}
"""What a bulk transfer ends at, by direction."""
