"""Where an application wants to go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """`host` is an address in its usual text form, or a name (ASCII) where `is_name`."""

    host: str
    port: int
    is_name: bool
