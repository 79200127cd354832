"""What an application speaks that does not speak what it should, by its first byte: for the log."""

from __future__ import annotations

_FIRST_BYTES = {4: "SOCKS4", 5: "SOCKS5", 0x16: "TLS"}


def describe_stranger(first: int, wanted: str) -> str:
    """Say what it seems to be, and what it should be set to."""
    spoken = "HTTP" if 0x41 <= first <= 0x5A else _FIRST_BYTES.get(first)
    if spoken is None or spoken == wanted:
        return f"the first byte is not one of {wanted}"
    return f"the application speaks {spoken}; set it to {wanted}"
