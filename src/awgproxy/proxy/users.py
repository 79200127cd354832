"""Who may use a listener: names and passwords, and the comparison that tells nothing about them.

Where users come from is the configuration's affair; how often somebody may be wrong is that of `attempts`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A name and a password, as an application gave them or as a user has them; never shown."""

    username: bytes
    password: bytes


class Users:
    """Every user of one listener; none at all is a listener that asks for no password.

    Compared are keyed digests of the same length, of every user each time: how long that takes tells neither
    which names exist nor how much of a password was right.
    """

    __slots__ = ("_digests", "_key")

    def __init__(self, users: Iterable[tuple[str, str]] = ()) -> None:
        """`users`: names and passwords."""
        self._key = secrets.token_bytes(32)
        self._digests = [self._digest(Credentials(name.encode(), password.encode())) for name, password in users]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._digests)

    def know(self, offered: Credentials) -> bool:
        """Whether that is one of them, with the right password."""
        digest = self._digest(offered)
        found = False
        for known in self._digests:
            found |= hmac.compare_digest(digest, known)
        return found

    def _digest(self, credentials: Credentials) -> bytes:
        name = credentials.username
        text = len(name).to_bytes(4, "big") + name + credentials.password
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()
