"""Test 15: whether padding and junk pass for random: the balance of bits, and of byte values.

NIST SP 800-22, section 2.1 (monobit), and chi-squared over the 256 values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scorecard.detectors.columns import LEAST, VALUES, deviation
from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

REJECTED = 1e-6


def monobit(data: bytes) -> float:
    """The chance that random bytes have their ones and zeros further out of balance."""
    bits = 8 * len(data)
    ones = int.from_bytes(data).bit_count()
    return math.erfc(abs(2 * ones - bits) / math.sqrt(2 * bits))


def chi_squared(data: bytes) -> float:
    """The chance that random bytes have their values less even."""
    freedom = VALUES - 1
    return above(deviation(data) * math.sqrt(2 * freedom) + freedom, freedom)


def above(squares: float, freedom: int) -> float:
    """The chance of a larger chi-squared (Wilson and Hilferty's approximation)."""
    normal = ((squares / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return math.erfc(normal / math.sqrt(2)) / 2


def judge(samples: Mapping[str, bytes]) -> Finding:
    """Rejected samples, of those that are long enough for a verdict; `samples` by what they are."""
    judged = {name: data for name, data in samples.items() if len(data) >= LEAST}
    chances = {name: min(monobit(data), chi_squared(data)) for name, data in judged.items()}
    rejected = [name for name, chance in chances.items() if chance < REJECTED]
    remark = f"least p {min(chances.values()):.1g}; {sum(map(len, judged.values()))} bytes" if chances else ""
    return Finding(len(rejected), len(judged), "; ".join([remark, *rejected]) if remark else "")
