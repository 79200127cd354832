"""Answers that still hold, up to a bound; of more, those that were asked for least recently go first.

Sans-I/O: time is an argument, seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awgproxy.egress.dns.answer import Answer

CAPACITY = 4096
"""Answers; a name has one for each version of IP."""

Question = tuple[str, int]
"""A name in lower case without a dot at its end, and the version of IP."""


class Cache:
    """Answers by question, each for as long as its TTL says."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Question, tuple[Answer, float]] = OrderedDict()
        self.hits = 0
        """Questions that were answered from here."""
        self.misses = 0
        """Questions that were not."""
        self.evicted = 0
        """Answers that went before their time, since there was no room."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: Question, now: float) -> Answer | None:
        """What is known; None where nothing is, or no more."""
        answer, until = self._kept.get(question, (None, 0.0))
        if answer is None or now >= until:
            self._kept.pop(question, None)
            self.misses += 1
            return None
        self._kept.move_to_end(question)
        self.hits += 1
        return answer

    def put(self, question: Question, answer: Answer, now: float) -> None:
        """Keep an answer in place of the one before; one that does not hold is not kept."""
        self._kept.pop(question, None)
        if answer.ttl <= 0:
            return
        if len(self._kept) >= self._capacity:
            self._kept.popitem(last=False)
            self.evicted += 1
        self._kept[question] = (answer, now + answer.ttl)

    def clear(self) -> None:
        """Forget everything; the counters stay."""
        self._kept.clear()
