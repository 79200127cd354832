"""Wrong passwords, by the address that they come from: counted, answered late, and from the fourth on in a line.

The first few mistakes of an address cost only the answer to themselves some seconds. After `FREE_MISTAKES` of them in a
row every further attempt from there waits its turn before it is looked at, right or wrong, so that asking in parallel
gains nothing; whoever would have to wait longer than `LONGEST_WAIT` is turned away unseen. A right password ends that.

Sans-I/O: time is an argument, in seconds, never going back; nothing sleeps here.

Bounds: `MOST_ADDRESSES` are remembered, the one that was quiet for the longest is forgotten first; a line is as long as
`LONGEST_WAIT` allows; an address with no mistake for `FORGOTTEN_AFTER` starts anew.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

FREE_MISTAKES = 3
LONGEST_DELAY = 8.0
LONGEST_WAIT = 10.0
FORGOTTEN_AFTER = 600.0
MOST_ADDRESSES = 1024


@dataclass(slots=True)
class _Record:
    mistakes: int = 0
    last: float = 0.0
    turn: float = 0.0  # when the next attempt may be looked at


class Attempts:
    """The mistakes of every address that made some lately."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self.mistakes = 0
        """Wrong passwords since the start."""
        self.turned_away = 0
        """Attempts that were not looked at since the start."""

    def turn(self, address: str, now: float) -> float | None:
        """After how many seconds credentials from there may be looked at; None = not at all."""
        record = self._record(address, now)
        if record is None or record.mistakes <= FREE_MISTAKES:
            return 0.0
        turn = max(now, record.turn)
        if turn - now > LONGEST_WAIT:
            self.turned_away += 1
            return None
        record.turn = turn + _delay(record.mistakes)
        return turn - now

    def failed(self, address: str, now: float) -> float:
        """Count a wrong password from there; after how many seconds it is to be answered."""
        self.mistakes += 1
        record = self._record(address, now)
        if record is None:
            if len(self._records) >= MOST_ADDRESSES:
                self._records.popitem(last=False)
            record = self._records[_group(address)] = _Record()
        record.mistakes += 1
        record.last = now
        self._records.move_to_end(_group(address))
        return _delay(record.mistakes)

    def succeeded(self, address: str) -> None:
        """Forget the mistakes from there."""
        self._records.pop(_group(address), None)

    def _record(self, address: str, now: float) -> _Record | None:
        group = _group(address)
        record = self._records.get(group)
        if record is not None and now - record.last > FORGOTTEN_AFTER:
            del self._records[group]
            return None
        return record


def _delay(mistakes: int) -> float:
    return min(2.0 ** min(mistakes - 1, 10), LONGEST_DELAY)


def _group(address: str) -> str:
    """What counts as one address: of IPv6 a /64, which is one host's or one link's."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((found, 64), strict=False).network_address)
    return str(found)
