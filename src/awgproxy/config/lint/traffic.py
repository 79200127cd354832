"""What a censor can tell the tunnel by, and what makes its messages mistaken for each other.

What exceeds the path's MTU and which signature tags give nothing is the extension's to say. How sizes and headers meet
is reasoned in `shape`. Of plain WireGuard nothing is said: it hides nothing, and is not meant to.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.lint.remark import Remark
from awgproxy.config.model import Role
from awgproxy.config.shape import HEADERS, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.model import Config, Obfuscated
    from awgproxy.config.path import Path
    from awgproxy.config.shape import Signature

LEAST_JUNK, MOST_JUNK, ABSURD_JUNK = 4, 12, 128
QUIC_INITIAL_LEAST_SIZE = 1200
"""RFC 9000, section 14.1."""

USUAL_REKEY, USUAL_KEEPALIVE = 120, 25
"""Seconds: the rhythms of WireGuard that are looked for, give or take one second."""
_STANDS_OUT = 0.2
"""The share of a rhythm's times from which on it is recognised."""

_QUIC_VERSIONS = {b"\x00\x00\x00\x01": 0xC0, b"\x6b\x33\x43\xcf": 0xD0}
"""QUIC's versions 1 and 2, and the first byte of an Initial of each but for its low four bits."""

_PUBLISHED = frozenset(
    {
        "<b0xc700000001><rc8><t><r100>",
        "<b0xf6ab3267fa><c><b0xf6ab><t><r10>",
        "<b0xf6ab3267fa><c><b0xf6ab><t><r10><wt10>",
    }
)
"""Signatures that documentation and shared files repeat, without blanks: a censor has them too."""


class View:
    """A configuration as one of its sets of parameters shows it: what the rules look at."""

    def __init__(self, config: Config, section: Obfuscated, path: Path) -> None:
        self.config = config
        self.section = section
        self.path = path

    @cached_property
    def shape(self) -> Shape:
        """The parameters as numbers."""
        return Shape.of(self.config.obfuscation_of(self.section))

    @property
    def is_first(self) -> bool:
        """Whether it is of ``[Interface]``, whose finding is the whole configuration's."""
        return self.section is self.config.interface

    @property
    def dials(self) -> bool:
        """Whether this end begins handshakes, with these parameters."""
        return self.is_first and any(peer.endpoints for peer in self.config.peers)

    def remark(self, key: str, message: str, suggestion: str | None = None, *, grave: bool = False) -> Remark:
        """A remark on one of the parameters."""
        return Remark(self.section.label, key, message, suggestion, grave=grave)


def junk(view: View) -> Iterator[Remark]:
    """Too little junk hides nothing, too much stands out. A responder sends none."""
    count = view.shape.junk_count
    if not view.shape.is_obfuscated or not (view.dials or count) or count > ABSURD_JUNK:  # the last is the extension's
        return
    if not LEAST_JUNK <= count <= MOST_JUNK:
        yield view.remark("Jc", f"{count} junk packets", f"{LEAST_JUNK} to {MOST_JUNK} hide a handshake best")
    elif count == LEAST_JUNK and "I1" not in view.shape.signatures:
        yield view.remark("Jc", f"{count} junk packets without I1", "set I1, or more junk packets")


def plain_types(view: View) -> Iterator[Remark]:
    """Plain WireGuard's type words in the clear beside other obfuscation."""
    if view.shape.is_obfuscated and not view.shape.header_protection:
        for name, header in zip(HEADERS, view.shape.headers, strict=True):
            if header.touches(1, 4):
                message = "uses a type of plain WireGuard, 1 to 4, which is recognised"
                yield view.remark(name, message, "a range from 5 on, the same on both ends")


def bare_headers(view: View) -> Iterator[Remark]:
    """What 2.0 leaves in the clear: a counter that rises by one, an index that stays, a mac2 of zeros."""
    if view.shape.is_obfuscated and not view.shape.header_protection:
        message = "is missing: each packet's counter and the zeros of an empty mac2 are in the clear and recognised"
        yield view.remark("HeaderProtectionKey", message, "set it on both ends, where both speak AmneziaWG 3")


def data_sizes(view: View) -> Iterator[Remark]:
    """Packets of which 15 in 16 sizes never come."""
    if view.shape.header_protection and not view.shape.data_sizes_vary:
        message = "is missing, and RandomTrailers too: all packets have sizes 16 bytes apart, which is recognised"
        yield view.remark("ContentPaddingAddition", message, "such as 0-63, or RandomTrailers = true on both ends")


def paddings(view: View) -> Iterator[Remark]:
    """Sizes that tell a handshake, or that two kinds of message share."""
    shape = view.shape
    s1, s2, *_ = shape.paddings
    if shape.is_obfuscated and s1 == s2 and not shape.trailers:
        message = "equals S1, so that initiation and response always differ by 56 bytes"
        yield view.remark("S2", message, "give them different values, the same on both ends")
    for one, other, size in shape.equal_sizes():
        message = f"makes a handshake message of {size} bytes, as {one} does"
        yield view.remark(other, message, f"change {other} on both ends")
    for name in shape.sizes_met_by_data():
        message = "makes a handshake message of a size that data has too, and the wide H is hit by chance"
        yield view.remark(name, message, f"change {name} or S4 by a few bytes, on both ends")
    if shape.trailers_swallow:
        message = (
            "makes every longer datagram fit a handshake message, and with unequal S1 to S4 the wide H1 to H3 are hit "
            "by chance: AmneziaWG's own receivers lose such data"
        )
        suggestion = "make S1 to S4 equal, or H1 to H3 narrow, on both ends"
        yield view.remark("RandomTrailers", message, suggestion, grave=True)


def cookies(view: View) -> Iterator[Remark]:
    """An answer that a stranger can provoke."""
    if view.shape.is_obfuscated and view.shape.cookies and view.config.role is Role.SERVER:
        message = "is off: under load, whoever knows this server's public key gets cookie replies, and so finds it"
        yield view.remark("DisableCookies", message, "true, on this end alone")


def signatures(view: View) -> Iterator[Remark]:
    """A first packet that is known, always the same, or no good as what it claims to be."""
    first = view.shape.signatures.get("I1")
    if first is not None:
        if re.sub(r"\s", "", first.specification).lower() in _PUBLISHED:
            yield view.remark("I1", "is a published one, which is looked for", "make one with `awgproxy new`")
        elif first.is_static:
            yield view.remark("I1", "is the same bytes every time", "let some be random: <r N>, <rc N>, <rd N>")
    for name, signature in view.shape.signatures.items():
        if _claims_quic(signature) and signature.size < QUIC_INITIAL_LEAST_SIZE:
            message = f"claims to be a QUIC Initial in {signature.size} bytes"
            yield view.remark(name, message, f"a real one has {QUIC_INITIAL_LEAST_SIZE} at least (RFC 9000)")


def rekeying(view: View) -> Iterator[Remark]:
    """A handshake every so many seconds is a clock to recognise. The end that dials makes them."""
    if not (view.shape.is_obfuscated and view.dials):
        return
    time = view.shape.times.get("RekeyAfterTime")
    suggestion = "a range, such as 75-115, on this end alone"
    if time is None:
        message = f"is missing: a handshake every {USUAL_REKEY} s exactly is recognised"
        yield view.remark("RekeyAfterTime", message, suggestion)
    elif time.first >= USUAL_REKEY - 1 and time.first <= USUAL_REKEY + 1:
        message = f"begins at {time.first} s: a busy tunnel has its handshakes there, as plain WireGuard"
        yield view.remark("RekeyAfterTime", message, suggestion)
    elif _stands_out(time.first, time.last, USUAL_REKEY):
        yield view.remark("RekeyAfterTime", f"makes a handshake every {time} s, which is recognised", suggestion)


def persistent_keepalive(view: View) -> Iterator[Remark]:
    """A packet every so many seconds is another."""
    if not view.is_first or not view.shape.is_obfuscated:
        return
    for number, peer in enumerate(view.config.peers, 1):
        every = peer.persistent_keepalive
        if every is not None and _stands_out(every.least, every.most, USUAL_KEEPALIVE):
            message = f"sends a packet every {every} s{' exactly' * every.is_fixed}, which is recognised"
            suggestion = "leave it out: a client that has something to send needs none; or a range, such as 20-45"
            yield Remark(f"peer {number}", "PersistentKeepalive", message, suggestion)


def extension(view: View) -> Iterator[Remark]:
    """What the extension finds: datagrams that exceed the path, absurd amounts, tags that give nothing."""
    settings = view.config.obfuscation_of(view.section)
    for parameter, concern in _native.obfuscation_warnings(settings, view.path.mtu, view.path.ipv6):
        if parameter == "KeepalivePadding":
            if view.is_first:
                yield Remark("tunnel", parameter, concern)
        elif parameter != "RandomTrailers":  # that is said above, as an error
            yield view.remark(parameter, concern)


def _stands_out(first: int, last: int, usual: int) -> bool:
    """Whether times drawn from ``first`` to ``last`` seconds are a rhythm: one time only, or often WireGuard's own."""
    close = min(last, usual + 1) - max(first, usual - 1) + 1
    return first == last or close / (last - first + 1) >= _STANDS_OUT


def _claims_quic(signature: Signature) -> bool:
    opening = signature.opening
    return bool(opening) and _QUIC_VERSIONS.get(opening[1:5]) == opening[0] & 0xF0


RULES = (
    junk,
    plain_types,
    bare_headers,
    data_sizes,
    paddings,
    cookies,
    signatures,
    rekeying,
    persistent_keepalive,
    extension,
)
