"""What a censor can tell the tunnel by, and what makes its messages mistaken for each other.

What exceeds the path's MTU and which signature tags give nothing is the extension's to say. How sizes and headers meet
is reasoned in `shape`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.lint.remark import Remark
from awgproxy.config.shape import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.model import Config
    from awgproxy.config.path import Path
    from awgproxy.config.shape import Shape, Signature

LEAST_JUNK, MOST_JUNK, ABSURD_JUNK = 4, 12, 128
QUIC_INITIAL_LEAST_SIZE = 1200
"""RFC 9000, section 14.1."""

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


def junk(config: Config, shape: Shape, _path: Path) -> Iterator[Remark]:
    """Too little junk hides nothing, too much stands out. A responder sends none."""
    dials = any(peer.endpoint is not None for peer in config.peers)
    count = shape.junk_count
    if not shape.is_obfuscated or not (dials or count) or count > ABSURD_JUNK:  # the last is the extension's
        return
    if not LEAST_JUNK <= count <= MOST_JUNK:
        yield Remark("interface", "Jc", f"{count} junk packets", f"{LEAST_JUNK} to {MOST_JUNK} hide a handshake best")
    elif count == LEAST_JUNK and "I1" not in shape.signatures:
        yield Remark("interface", "Jc", f"{count} junk packets without I1", "set I1, or more junk packets")


def plain_types(_config: Config, shape: Shape, _path: Path) -> Iterator[Remark]:
    """Plain WireGuard's type words beside other obfuscation."""
    if shape.is_obfuscated:
        for name, header in zip(HEADERS, shape.headers, strict=True):
            if header.touches(1, 4):
                message = "uses a type of plain WireGuard, 1 to 4, which is recognised"
                yield Remark("interface", name, message, "a range from 5 on, the same on both ends")


def paddings(_config: Config, shape: Shape, _path: Path) -> Iterator[Remark]:
    """Sizes that tell a handshake, or that two kinds of message share."""
    s1, s2, *_ = shape.paddings
    if shape.is_obfuscated and s1 == s2:
        message = "equals S1, so that initiation and response always differ by 56 bytes"
        yield Remark("interface", "S2", message, "give them different values, the same on both ends")
    for one, other, size in shape.equal_sizes():
        message = f"makes a handshake message of {size} bytes, as {one} does"
        yield Remark("interface", other, message, f"change {other} on both ends")
    for name in shape.sizes_met_by_data():
        message = "makes a handshake message of a size that data has too, and the wide H is hit by chance"
        yield Remark("interface", name, message, f"change {name} or S4 by a few bytes, on both ends")


def signatures(_config: Config, shape: Shape, _path: Path) -> Iterator[Remark]:
    """A first packet that is known, always the same, or no good as what it claims to be."""
    first = shape.signatures.get("I1")
    if first is not None:
        if re.sub(r"\s", "", first.specification).lower() in _PUBLISHED:
            yield Remark("interface", "I1", "is a published one, which is looked for", "make one with `awgproxy new`")
        elif first.is_static:
            yield Remark("interface", "I1", "is the same bytes every time", "let some be random: <r N>, <rc N>, <rd N>")
    for name, signature in shape.signatures.items():
        if _claims_quic(signature) and signature.size < QUIC_INITIAL_LEAST_SIZE:
            message = f"claims to be a QUIC Initial in {signature.size} bytes"
            yield Remark("interface", name, message, f"a real one has {QUIC_INITIAL_LEAST_SIZE} at least (RFC 9000)")


def persistent_keepalive(config: Config, shape: Shape, _path: Path) -> Iterator[Remark]:
    """A packet every so many seconds is a clock to recognise."""
    if not shape.is_obfuscated:
        return
    for number, peer in enumerate(config.peers, 1):
        if peer.persistent_keepalive is not None:
            message = f"sends a packet every {peer.persistent_keepalive} s exactly, which is recognised"
            suggestion = "leave it out: a client that has something to send needs none"
            yield Remark(f"peer {number}", "PersistentKeepalive", message, suggestion)


def extension(config: Config, _shape: Shape, path: Path) -> Iterator[Remark]:
    """What the extension finds: datagrams that exceed the path, absurd amounts, tags that give nothing."""
    for parameter, concern in _native.obfuscation_warnings(config.obfuscation, path.mtu, path.ipv6):
        yield Remark("interface", parameter, concern)


def _claims_quic(signature: Signature) -> bool:
    opening = signature.opening
    return bool(opening) and _QUIC_VERSIONS.get(opening[1:5]) == opening[0] & 0xF0


RULES = (junk, plain_types, paddings, signatures, persistent_keepalive, extension)
