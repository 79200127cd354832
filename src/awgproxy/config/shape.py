"""The obfuscation parameters as numbers: what the traffic of a configuration looks like from outside.

Read from settings that the extension has accepted, for the lint and the generator to reason about; whether a setting is
allowed is not decided here. That the extension reads them alike is held by a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
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

WORDS = 1 << 32
WIDE = WORDS / 10_000
"""From so many words on, a header range is hit by chance often enough to matter: one word in 10,000."""

TIMES = ("RekeyAfterTime", "RekeyTimeout", "RejectAfterTime", "KeepaliveTimeout", "MaxHandshakeAttempts")

_ZERO_KEY = "A" * 43 + "="
_YES = ("1", "t", "true", "on")
_TAG = re.compile(r"<\s*(\w+)\s*([^\s>]*)")
_STATIC = frozenset({"b", "d", "ds", "dz"})
_FILLINGS = {"rc": b"a", "rd": b"1", "dz": b"\x00"}


@dataclass(frozen=True, slots=True)
class HeaderRange:
    """Numbers from ``first`` to ``last``: the type words of one message; of 3.x, bytes added, seconds, attempts."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """How many numbers it has."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

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
        return all(tag in _STATIC for tag, _ in self.tags)

    @property
    def size(self) -> int:
        """Bytes of a packet."""
        return sum(_size(tag, argument) for tag, argument in self.tags)

    @property
    def opening(self) -> bytes:
        """The bytes that every packet begins with."""
        tag, argument = self.tags[0]
        return _bytes_of(argument) if tag == "b" else b""

    @property
    def static_runs(self) -> Iterator[int]:
        """How long the parts are that every packet has."""
        runs = groupby(self.tags, key=lambda each: each[0] in _STATIC)
        return (sum(_size(*each) for each in run) for is_static, run in runs if is_static)

    @property
    def example(self) -> bytes:
        """A packet, with letters and digits where such are drawn, and bytes of no meaning where any are."""
        return b"".join(_example(tag, argument) for tag, argument in self.tags)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the lint reasons about; what is absent is 0, and a header's default its WireGuard type."""

    junk_count: int
    paddings: tuple[int, int, int, int]
    headers: tuple[HeaderRange, HeaderRange, HeaderRange, HeaderRange]
    signatures: Mapping[str, Signature]
    header_protection: bool = False
    content_padding: HeaderRange | None = None
    trailers: bool = False
    cookies: bool = True
    times: Mapping[str, HeaderRange] = field(default_factory=dict)
    """Those of `TIMES` that are given."""

    @classmethod
    def of(cls, settings: Sequence[tuple[str, str]]) -> Shape:
        """Read settings that have no errors, by their names in a file."""
        given = {name.upper(): value for name, value in settings}
        s1, s2, s3, s4 = (int(given.get(name) or 0) for name in PADDINGS)
        h1, h2, h3, h4 = (_header(given.get(name) or str(kind)) for kind, name in enumerate(HEADERS, 1))
        signatures = ((name, _signature(given.get(name, ""))) for name in SIGNATURES)
        times = ((name, _range(given.get(name.upper(), ""))) for name in TIMES)
        return cls(
            int(given.get("JC") or 0),
            (s1, s2, s3, s4),
            (h1, h2, h3, h4),
            {name: signature for name, signature in signatures if signature.tags},
            given.get("HEADERPROTECTIONKEY", "") not in {"", "0", _ZERO_KEY},
            _range(given.get("CONTENTPADDINGADDITION", "")),
            given.get("RANDOMTRAILERS", "").lower() in _YES,
            given.get("DISABLECOOKIES", "").lower() not in _YES,
            {name: time for name, time in times if time is not None},
        )

    @property
    def is_obfuscated(self) -> bool:
        """Whether anything differs from plain WireGuard."""
        plain = tuple(HeaderRange(kind, kind) for kind in (1, 2, 3, 4))
        changed = self.junk_count or any(self.paddings) or self.signatures or self.headers != plain
        return bool(changed) or self.is_version_3

    @property
    def is_version_3(self) -> bool:
        """Whether anything of AmneziaWG 3.x is given."""
        added = self.content_padding is not None or self.trailers or not self.cookies
        return self.header_protection or added or bool(self.times)

    @property
    def data_sizes_vary(self) -> bool:
        """Whether data has any size, not only multiples of 16 and what surrounds them."""
        return self.trailers or self.content_padding is not None

    @property
    def trailers_swallow(self) -> bool:
        """Whether data is taken for handshakes by chance, since with trailers any longer datagram fits these.

        Where all paddings are equal, the word looked at is data's own type.
        """
        width = sum(header.width for header in self.headers[:3])
        return self.trailers and len(set(self.paddings)) > 1 and width > WIDE

    def equal_sizes(self) -> Iterator[tuple[str, str, int]]:
        """The handshake messages that cannot be told apart by size: two parameters and the size in bytes.

        None with trailers, which give every message any size.
        """
        if self.trailers:
            return
        s1, s2, s3, _ = self.paddings
        sizes = {"S1": s1 + INITIATION_SIZE, "S2": s2 + RESPONSE_SIZE, "S3": s3 + COOKIE_REPLY_SIZE}
        for one, other in (("S1", "S2"), ("S1", "S3"), ("S2", "S3")):
            if sizes[one] == sizes[other]:
                yield one, other, sizes[one]

    def sizes_met_by_data(self) -> Iterator[str]:
        """The paddings whose handshake message has a size that data has too, and a header that data hits by chance.

        Data is padded to multiples of 16, unless its sizes vary: then no padding avoids it. Where both paddings are
        equal, the word looked at is data's own type.
        """
        if self.data_sizes_vary:
            return
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


def _range(text: str) -> HeaderRange | None:
    """A range of 3.x; nothing but 0 is none."""
    found = _header(text or "0")
    return found if found.last else None


def _signature(specification: str) -> Signature:
    return Signature(specification, tuple((tag, argument) for tag, argument in _TAG.findall(specification)))


def _bytes_of(argument: str) -> bytes:
    return bytes.fromhex(argument.lower().removeprefix("0x"))


def _example(tag: str, argument: str) -> bytes:
    return _bytes_of(argument) if tag == "b" else _FILLINGS.get(tag, b"\xa5") * _size(tag, argument)


def _size(tag: str, argument: str) -> int:
    if tag == "b":
        return len(argument.lower().removeprefix("0x")) // 2
    if tag in {"t", "c"}:
        return 4
    return int(argument or 0) if tag in {"r", "rd", "rc", "dz"} else 0
