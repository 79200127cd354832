"""The values of a peer's limits: numbers, amounts of data and rates of it, with their units; ``off`` is no limit.

Amounts are decimal, as networks and tariffs count them: ``1 kB`` is 1000 bytes, ``1 KiB`` 1024. Errors: `InvalidValue`.
"""

from __future__ import annotations

import re
from decimal import Decimal

from awgproxy.config.values import InvalidValue, number, shown

MOST_FLOWS = 1_000_000
LEAST_BANDWIDTH = 1000
"""Bytes a second: less than that does not carry a packet in the time that a connection waits for one."""
MOST_BYTES = 10**18
_RATE = re.compile(r"[0-9]{1,7}(\.[0-9]{1,3})?")
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?)\s*([A-Za-z]+)(/s)?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNIT = re.compile(r"([kmgt]?)(i?)(bit|b)", re.IGNORECASE)


def _is_off(text: str) -> bool:
    return text.lower() == "off"


def flows(text: str) -> int | None:
    """How many flows at once."""
    return None if _is_off(text) else number(text, 1, MOST_FLOWS, "a number of flows")


def flow_rate(text: str) -> float | None:
    """How many new flows a second, a fraction perhaps."""
    if _is_off(text):
        return None
    found = float(text) if _RATE.fullmatch(text) else 0.0
    if not 0 < found <= MOST_FLOWS:
        raise InvalidValue(f"{shown(text)} is not a number of flows a second", "such as 20 or 0.5, or `off`")
    return found


def bandwidth(text: str) -> int | None:
    """Bytes a second; in a file also as bits a second."""
    if _is_off(text):
        return None
    suggestion = "such as `50 Mbit/s` or `6 MB/s`, or `off`"
    found = _amount(text, bits=True, per_second=True)
    if found is None:
        raise InvalidValue(f"{shown(text)} is not a bandwidth", suggestion)
    if found < LEAST_BANDWIDTH:
        raise InvalidValue(f"{shown(text)} is too little to carry packets", "8 kbit/s at least")
    return found


def quota(text: str) -> int | None:
    """Bytes."""
    if _is_off(text):
        return None
    found = _amount(text, bits=False, per_second=False)
    if not found:
        raise InvalidValue(f"{shown(text)} is not an amount of data", "such as `100 GB` or `1.5 TB`, or `off`")
    return found


def _amount(text: str, *, bits: bool, per_second: bool) -> int | None:
    """Bytes of ``number unit``; None where it is none. ``b`` is ambiguous: bits are ``bit``, bytes ``B``."""
    amount = _AMOUNT.fullmatch(text)
    unit = None if amount is None else _UNIT.fullmatch(amount[2])
    if amount is None or unit is None or (amount[3] is not None) is not per_second:
        return None
    is_bits = unit[3].lower() == "bit"
    if (is_bits and not bits) or unit[3] == "b" or (unit[2] and not unit[1]):
        return None
    factor = (1024 if unit[2] else 1000) ** _POWERS[unit[1].lower()]
    found = int(Decimal(amount[1]) * factor / (8 if is_bits else 1))
    return found if found <= MOST_BYTES else None
