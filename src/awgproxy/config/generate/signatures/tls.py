"""What TLS and DTLS hellos are made of: extensions and lists with their lengths (RFC 8446, section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sized(content: bytes, width: int) -> bytes:
    """The content behind its length, which takes ``width`` bytes."""
    return len(content).to_bytes(width) + content


def extension(kind: int, content: bytes = b"") -> bytes:
    """An extension."""
    return kind.to_bytes(2) + sized(content, 2)


def numbers(values: Iterable[int]) -> bytes:
    """A list of numbers of two bytes, behind its length in two bytes."""
    return sized(b"".join(value.to_bytes(2) for value in values), 2)
