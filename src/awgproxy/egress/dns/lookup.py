"""What is known of one name while it is looked up: whether that is enough, how much longer to wait, what it amounts to.

Order after RFC 8305, section 4. Sans-I/O.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from awgproxy.egress.dns.answer import MAX_ADDRESSES, Answer
from awgproxy.errors import NameNotFound

RESOLUTION_DELAY_SECONDS = 0.05
"""How long IPv4 addresses wait for the AAAA answer (RFC 8305, section 3)."""
ATTEMPT_DELAY_SECONDS = 0.25
"""How long IPv6 addresses wait for the A answer: while IPv4 would not be tried anyway (RFC 8305, section 5). No address
can be added to a connection later, and where the way out lacks IPv6 it would fail."""
MISSING_DELAY_SECONDS = 0.25
"""How long the answer that there is no such name waits for the other family's: some servers give it for a name that has
no address of the family that was asked for (RFC 4074, section 4.2)."""


class NoAddress(NameNotFound):
    """The name is there, and has no address."""


@dataclass
class LookUp:
    """One name, the families that are wanted, in order of preference, and what is answered of them."""

    name: str
    families: tuple[int, ...]
    answers: dict[int, Answer] = field(default_factory=dict)

    @property
    def missing(self) -> list[int]:
        """The families that are to be asked for."""
        return [family for family in self.families if family not in self.answers]

    @property
    def is_enough(self) -> bool:
        """Whether no other server needs to be asked."""
        return not self.missing or any(answer.addresses or answer.is_missing for answer in self.answers.values())

    @property
    def patience(self) -> float | None:
        """How many seconds the families that are missing are worth; None = all that they may take."""
        patience = None
        for answer in self.answers.values():
            if answer.addresses:
                return ATTEMPT_DELAY_SECONDS if ":" in answer.addresses[0] else RESOLUTION_DELAY_SECONDS
            if answer.is_missing:
                patience = MISSING_DELAY_SECONDS
        return patience

    def addresses(self) -> list[str]:
        """The addresses of all families in turn.

        Raises:
            NameNotFound: there is no such name; `NoAddress` where it has none.
        """
        turns = [self.answers[family].addresses for family in self.families if family in self.answers]
        found = [address for turn in itertools.zip_longest(*turns) for address in turn if address is not None]
        if found:
            return found[:MAX_ADDRESSES]
        if any(answer.is_missing for answer in self.answers.values()):
            raise NameNotFound("there is no such name")
        raise NoAddress("the name has no address")
