"""The obfuscation parameters as numbers: what the traffic of a configuration looks like from outside.

Read from settings that the extension has accepted, for the lint and the generator to reason about; whether a setting is
allowed is not decided here. That the extension reads them alike is held by a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INITIATION_SIZE = 148
RESPONSE_SIZE = 92
COOKIE_REPLY_SIZE = 64
TRANSPORT_OVERHEAD = 32

PADDINGS = ("S1", "S2", "S3", "S4")
HEADERS = ("H1", "H2", "H3", "H4")
SIGNATURES = ("I1", "I2", "I3", "I4", "I5")

WIDE = (1 << 32) / 10_000
"""From so many words on, a header range is hit by chance often enough to matter: one word in 10,000."""

_TAG = re.compile(r"<\s*(\w+)\s*([^\s>]*)")


@dataclass(frozen=True, slots=True)
class HeaderRange:
    """The type words of one message, from ``first`` to ``last``."""

    first: int
    last: int

    @property
    def is_wide(self) -> bool:
        """Whether random bytes fall into it often enough to matter."""
        return self.last - self.first >= WIDE

    def touches(self, first: int, last: int) -> bool:
        """Whether the two ranges share a word."""
        return self.first <= last and first <= self.last


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature packet's recipe as (tag, argument) each."""

    specification: str
    tags: tuple[tuple[str, str], ...]

    @property
    def is_static(self) -> bool:
        """Whether every packet of it is the same."""
        return all(tag in {"b", "d", "ds", "dz"} for tag, _ in self.tags)

    @property
    def size(self) -> int:
        """Bytes of a packet."""
        return sum(_size(tag, argument) for tag, argument in self.tags)

    @property
    def opening(self) -> bytes:
        """The bytes that every packet begins with."""
        tag, argument = self.tags[0]
        return bytes.fromhex(argument.lower().removeprefix("0x")) if tag == "b" else b""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the lint reasons about; what is absent is 0, and a header's default its WireGuard type."""

    junk_count: int
    paddings: tuple[int, int, int, int]
    headers: tuple[HeaderRange, HeaderRange, HeaderRange, HeaderRange]
    signatures: Mapping[str, Signature]

    @classmethod
    def of(cls, settings: Sequence[tuple[str, str]]) -> Shape:
        """Read settings that have no errors."""
        given = {name.upper(): value for name, value in settings}
        s1, s2, s3, s4 = (int(given.get(name) or 0) for name in PADDINGS)
        h1, h2, h3, h4 = (_header(given.get(name) or str(kind)) for kind, name in enumerate(HEADERS, 1))
        signatures = ((name, _signature(given.get(name, ""))) for name in SIGNATURES)
        return cls(
            int(given.get("JC") or 0),
            (s1, s2, s3, s4),
            (h1, h2, h3, h4),
            {name: signature for name, signature in signatures if signature.tags},
        )

    @property
    def is_obfuscated(self) -> bool:
        """Whether anything differs from plain WireGuard."""
        plain = tuple(HeaderRange(kind, kind) for kind in (1, 2, 3, 4))
        return bool(self.junk_count or any(self.paddings) or self.signatures or self.headers != plain)

    def equal_sizes(self) -> Iterator[tuple[str, str, int]]:
        """The handshake messages that cannot be told apart by size: two parameters and the size in bytes."""
        s1, s2, s3, _ = self.paddings
        sizes = {"S1": s1 + INITIATION_SIZE, "S2": s2 + RESPONSE_SIZE, "S3": s3 + COOKIE_REPLY_SIZE}
        for one, other in (("S1", "S2"), ("S1", "S3"), ("S2", "S3")):
            if sizes[one] == sizes[other]:
                yield one, other, sizes[one]

    def sizes_met_by_data(self) -> Iterator[str]:
        """The paddings whose handshake message has a size that data has too, and a header that data hits by chance.

        Data is padded to multiples of 16. Where both paddings are equal, the word looked at is data's own type.
        """
        *handshakes, s4 = self.paddings
        for name, padding, size, header in zip(
            PADDINGS, handshakes, (INITIATION_SIZE, RESPONSE_SIZE, COOKIE_REPLY_SIZE), self.headers, strict=False
        ):
            met = (padding + size - s4 - TRANSPORT_OVERHEAD) % 16 == 0
            if met and padding != s4 and header.is_wide:
                yield name


def _header(text: str) -> HeaderRange:
    first, _, last = text.partition("-")
    return HeaderRange(int(first), int(last or first))


def _signature(specification: str) -> Signature:
    return Signature(specification, tuple((tag, argument) for tag, argument in _TAG.findall(specification)))


def _size(tag: str, argument: str) -> int:
    if tag == "b":
        return len(argument.lower().removeprefix("0x")) // 2
    if tag in {"t", "c"}:
        return 4
    return int(argument or 0) if tag in {"r", "rd", "rc", "dz"} else 0
