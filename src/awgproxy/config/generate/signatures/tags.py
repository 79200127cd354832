"""The tags of a recipe, as text."""

from __future__ import annotations


def static(content: bytes) -> str:
    """Bytes that stand in every packet."""
    return f"<b 0x{content.hex()}>"


def text(content: str) -> str:
    """A text that stands in every packet."""
    return static(content.encode("ascii"))


def random_bytes(count: int) -> str:
    """That many random bytes, new ones in each packet."""
    return f"<r {count}>"


def random_letters(count: int) -> str:
    """That many letters a-z and A-Z, new ones in each packet."""
    return f"<rc {count}>"


def random_digits(count: int) -> str:
    """That many digits, new ones in each packet."""
    return f"<rd {count}>"
