"""Which DNS server is asked first: in the configured order, but for those that were silent lately.

Sans-I/O: time is an argument, seconds of a clock that never goes back.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from awgproxy.errors import NameLookupFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

SILENT_SECONDS = 60.0
"""For how long a server that did not answer is asked last."""
STREAM_SECONDS = 600.0
"""For how long a server that answered over TCP alone is asked that way at once."""


class ServerSilent(NameLookupFailed):
    """Nothing came back in time."""


class Servers:
    """The servers' addresses, and what became of questions to them."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """`addresses`: in the order to ask them."""
        self._addresses = tuple(dict.fromkeys(addresses))
        self._last_answer: dict[str, float] = {}
        self._silent_until: dict[str, float] = {}
        self._stream_until: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def __contains__(self, server: str) -> bool:
        return server in self._addresses

    def become(self, addresses: Sequence[str]) -> bool:
        """Take these in place of the former ones; whether they are others, and not only in another order."""
        former, self._addresses = self._addresses, tuple(dict.fromkeys(addresses))
        if set(former) == set(self._addresses):
            return False
        for known in (self._last_answer, self._silent_until, self._stream_until):
            for gone in known.keys() - set(self._addresses):
                del known[gone]
        return True

    def in_order(self, now: float) -> list[str]:
        """All of them: whom to ask first comes first."""
        return sorted(self._addresses, key=lambda server: now < self._silent_until.get(server, -math.inf))

    def answered(self, server: str, now: float, *, over_stream_alone: bool = False) -> None:
        """It did. `over_stream_alone`: TCP brought the answer, while UDP was tried and brought nothing."""
        if server not in self:
            return
        self._last_answer[server] = now
        self._silent_until.pop(server, None)
        if over_stream_alone:
            self._stream_until[server] = now + STREAM_SECONDS

    def was_silent(self, server: str, asked: float, now: float) -> None:
        """It did not answer a question of the time `asked`, nor, for it to count, any other one since."""
        if server in self and self._last_answer.get(server, -math.inf) < asked:
            self._silent_until[server] = now + SILENT_SECONDS

    def wants_stream(self, server: str, now: float) -> bool:
        """Whether to ask over TCP beside UDP from the beginning."""
        return now < self._stream_until.get(server, -math.inf)
