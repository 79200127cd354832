"""What a DNS answer says of one name and one type of record, and for how long (RFC 1035; RFC 2308 where it is "no")."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ADDRESSES = 16
"""Addresses kept of one answer."""

LONGEST_SECONDS = 3600.0
"""How long addresses are kept at most, whatever their TTL."""
LONGEST_NEGATIVE_SECONDS = 300.0
"""How long it is kept at most that there is nothing (RFC 2308, section 5, leaves a bound to us)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Addresses of one version; none where the name has none. ``is_missing``: there is no such name at all.

    ``ttl``: seconds for which it may be told again; 0 = it may not.
    """

    addresses: tuple[str, ...] = ()
    is_missing: bool = False
    ttl: float = 0.0
