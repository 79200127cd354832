"""Where an application wants to go."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """`host` is an address in its usual text form, or a name (ASCII) where `is_name`."""

    host: str
    port: int
    is_name: bool


def is_address(host: str) -> bool:
    """Whether it is an address in its usual text form, not a name; with a zone, which is one's own, it is none."""
    if "%" in host:  # of which systems think differently
        return False
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


def destination_of(host: bytes, port: int) -> Destination | None:
    """What an application named; an address that was sent as a name, in brackets or not, counts as the address.

    None where it is neither: empty, not visible ASCII, or an address with a zone, which names an interface of ours.
    """
    try:
        text = host.decode("ascii")
    except UnicodeDecodeError:
        return None
    if not text or not text.isprintable() or " " in text:
        return None
    try:
        literal = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None if "[" in text else Destination(text, port, is_name=True)
    if literal.version == 6 and literal.scope_id:
        return None
    return Destination(str(literal), port, is_name=False)
