"""What an application is told of its connection: its protocol's own words, one for each outcome.

The engine's names of outcomes come from what the tunnel carried: a reset, or an ICMP unreachable and its code; the
way from the target's answer to the reply is in the documentation of the proxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from awgproxy._native import Replies


@dataclass(frozen=True)
class Answers:
    """The bytes for each outcome; empty = nothing is said."""

    succeeded: bytes
    refused: bytes
    network_unreachable: bytes
    host_unreachable: bytes
    prohibited: bytes
    timed_out: bytes
    failed: bytes

    @cached_property
    def replies(self) -> Replies:
        """For the engine, which gives them."""
        return Replies(
            succeeded=self.succeeded,
            refused=self.refused,
            network_unreachable=self.network_unreachable,
            host_unreachable=self.host_unreachable,
            prohibited=self.prohibited,
            timed_out=self.timed_out,
            failed=self.failed,
        )


NO_WORDS = Answers(*[b""] * 7)
"""For whoever is told in another way: nothing but the connection's own bytes."""
