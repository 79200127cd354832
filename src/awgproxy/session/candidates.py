"""Which of a peer's endpoints is tried: the first that is configured first, the next when one does not answer.

A candidate is an endpoint that is configured, at one of the addresses that its name has. One that answered stays. Each
is given two initiations, later, when all have been tried in vain, by chance some more: so clients that lost a server do
not move in step, and do not run from one that only comes back slowly.

Sans-I/O: it is told what was found, and what was answered. Names are looked up in `endpoints`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from awgproxy.config import Endpoint

INITIATIONS = 2
"""How many initiations a candidate is given."""
MORE_INITIATIONS = 2
"""How many more it may be given by chance, one more with each round over all of them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endpoint with an address for a host; ``place`` is that of the configured one that it stands for."""

    place: int
    endpoint: Endpoint


class Candidates:
    """One peer's endpoints, and how they fared."""

    def __init__(
        self,
        configured: Sequence[Endpoint],
        has_route: Callable[[Endpoint], bool] = lambda _: True,
        chance: random.Random | None = None,
    ) -> None:
        """`has_route`: whether this machine has a way to an address; what it has none to is passed over."""
        self.configured = tuple(configured)
        self._has_route = has_route
        self._chance = chance or random.Random()  # noqa: S311 - nothing secret
        # By place; None while a name is looked up for the first time.
        self._found: list[Sequence[str] | None] = [
            None if endpoint.address is None else (endpoint.host,) for endpoint in self.configured
        ]
        self.current: Candidate | None = None
        """The one that is tried, or that answered; None while none is known."""
        self._last_answer: Candidate | None = None
        self._answers = False
        self._left = 1
        self._moves = 0
        self._begin()

    @property
    def names(self) -> set[str]:
        """What is to be looked up."""
        return {endpoint.host for endpoint in self.configured if endpoint.address is None}

    @property
    def are_several(self) -> bool:
        """Whether there is a choice."""
        return len(list(self._all())) > 1

    def found(self, name: str, addresses: Sequence[str]) -> None:
        """A name has these addresses now."""
        for place in self._places_of(name):
            self._found[place] = tuple(dict.fromkeys(addresses))
        if self.current is None:
            self._begin()
        elif not self._answers and self.configured[self.current.place].host == name:
            same_place = [one for one in self._all() if one.place == self.current.place]
            if self.current not in same_place:
                self._try(next(filter(self._is_reachable, same_place), same_place[0]))

    def not_found(self, name: str) -> None:
        """A name cannot be looked up; what it had before is still good for a try."""
        for place in self._places_of(name):
            self._found[place] = self._found[place] or ()
        if self.current is None:
            self._begin()

    def unanswered(self) -> None:
        """An initiation got no answer, and the next one has left already, for where that one went."""
        self._answers = False
        self._left -= 1
        if self._left <= 0:
            self._move()

    def answered(self, address: str, port: int) -> bool:
        """A session stands with the peer at this address; gives whether it is another endpoint than the last time.

        At an address that is no candidate's, it is taken for the current one.
        """
        at = [one for one in self._all() if one.endpoint.host == address and port in one.endpoint.ports]
        if at and self.current not in at:
            self.current = at[0]
        self._answers = True
        self._left = 1
        self._moves = 0
        before, self._last_answer = self._last_answer, self.current
        return before is not None and self.current is not None and before.place != self.current.place

    def network_changed(self) -> None:
        """What did not answer may have been this machine's fault: begin again, with the one that answered last."""
        if not self._answers:
            self._moves = 0
            self._left = 1
            if self._last_answer is not None and self._last_answer in self._all():
                self.current = self._last_answer
            else:
                self._begin()

    def _places_of(self, name: str) -> list[int]:
        return [place for place, endpoint in enumerate(self.configured) if endpoint.host == name]

    def _all(self) -> Iterator[Candidate]:
        for place, addresses in enumerate(self._found):
            for address in addresses or ():
                yield Candidate(place, replace(self.configured[place], host=address))

    def _is_reachable(self, candidate: Candidate) -> bool:
        return self._has_route(candidate.endpoint)

    def _begin(self) -> None:
        """Take the first, unless a name that stands before it is still being looked up."""
        waits_for = next((place for place, found in enumerate(self._found) if found is None), len(self._found))
        known = [one for one in self._all() if one.place < waits_for]
        if known:
            self.current = next(filter(self._is_reachable, known), known[0])

    def _move(self) -> None:
        """Take the next one that this machine has a way to; where it has none to any other, stay."""
        known = list(self._all())
        at = known.index(self.current) if self.current in known else -1
        following = next(filter(self._is_reachable, known[at + 1 :] + known[: max(at, 0)]), None)
        if following is not None:
            self._moves += 1
            self._try(following, rounds=self._moves // len(known))
        else:
            self._left = 1

    def _try(self, candidate: Candidate, rounds: int = 0) -> None:
        self.current = candidate
        self._left = INITIATIONS + self._chance.randint(0, min(rounds, MORE_INITIATIONS))
