"""Random sound AmneziaWG 2.0 parameters: nothing in them is the same twice, and no rule of the lint finds fault.

Within what AmneziaWG's documentation recommends, since the apps check it: type words from 5 to 2^31 - 1, 4 to 12 junk
packets, none above 1280 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures import random_signature
from awgproxy.config.shape import Shape

if TYPE_CHECKING:
    from random import Random

FIRST_WORD, LAST_WORD = 5, (1 << 31) - 1
HEADER_WIDTHS = (1 << 26, 1 << 28)
"""Words in a header range: many, so that the type is no constant; few enough that random bytes seldom pass for one."""

JUNK_COUNTS = (4, 12)
LEAST_JUNK_SIZES = (40, 120)
JUNK_SIZE_SPREADS = (150, 800)
HANDSHAKE_PADDINGS = (15, 150)
TRANSPORT_PADDINGS = (12, 32)


def random_parameters(random: Random) -> list[tuple[str, str]]:
    """Draw a full set: Jc, Jmin, Jmax, S1 to S4, H1 to H4, I1, in this order."""
    while True:
        least_junk = random.randint(*LEAST_JUNK_SIZES)
        s1, s2, s3 = (random.randint(*HANDSHAKE_PADDINGS) for _ in range(3))
        settings = [
            ("Jc", str(random.randint(*JUNK_COUNTS))),
            ("Jmin", str(least_junk)),
            ("Jmax", str(least_junk + random.randint(*JUNK_SIZE_SPREADS))),
            ("S1", str(s1)),
            ("S2", str(s2)),
            ("S3", str(s3)),
            ("S4", str(random.randint(*TRANSPORT_PADDINGS))),
            *zip(("H1", "H2", "H3", "H4"), _random_headers(random), strict=True),
            ("I1", random_signature(random)),
        ]
        shape = Shape.of(settings)
        if len({s1, s2, s3}) == 3 and not any(shape.equal_sizes()) and not any(shape.sizes_met_by_data()):
            return settings


def _random_headers(random: Random) -> list[str]:
    """Four ranges that do not meet, in no order of size or place."""
    widths = [random.randint(*HEADER_WIDTHS) for _ in range(4)]
    free = LAST_WORD - FIRST_WORD + 1 - sum(widths)
    gaps = sorted(random.randint(0, free) for _ in widths)
    ranges = []
    used = 0
    for gap, width in zip(gaps, widths, strict=True):
        first = FIRST_WORD + gap + used
        ranges.append(f"{first}-{first + width - 1}")
        used += width
    random.shuffle(ranges)
    return ranges
