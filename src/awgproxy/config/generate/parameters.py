"""Random sound obfuscation parameters: nothing in them is the same twice, and no rule of the lint finds fault.

Within what AmneziaWG's documentation recommends, since the apps check it: type words from 5 to 2^31 - 1, 4 to 12 junk
packets, none above 1280 bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from awgproxy import _native
from awgproxy.config.shape import COOKIE_REPLY_SIZE, INITIATION_SIZE, RESPONSE_SIZE, Shape

if TYPE_CHECKING:
    from random import Random

FIRST_WORD, LAST_WORD = 5, (1 << 31) - 1
HEADER_WIDTHS = (1 << 26, 1 << 28)
"""Words in a header range: many, so that the type is no constant; few enough that random bytes seldom pass for one."""

JUNK_COUNTS = (4, 12)
LEAST_JUNK_SIZES = (40, 120)
JUNK_SIZE_SPREADS = (150, 800)
HANDSHAKE_PADDINGS = (15, 150)
TRANSPORT_PADDINGS = tuple(size for size in range(13, 32) if size % 16 not in (0, 4, 12))
"""With the others data, padded to multiples of 16, has sizes at which DPI looks for plain WireGuard (64, 92, 148) or
OpenVPN (80, 112), and of many packets some are taken for that by their first byte."""

YES = "1"
"""The one word for it that amneziawg-tools, amneziawg-go and the apps all take."""

CONTENT_PADDINGS = (0, 15)
CONTENT_PADDING_SPREADS = (63, 127)
"""Widths of the range that is drawn from: sizes vary mod 16, and what is sent when idle has many sizes."""


class Profile(StrEnum):
    """Which keys a pair gets: AmneziaWG's of version 3 or 2, or none."""

    AWG3 = "awg3"
    AWG2 = "awg2"
    PLAIN = "plain"


def random_parameters(profile: Profile, random: Random) -> list[tuple[str, str]]:
    """Draw all but the signature packets, in the order in which a file has them."""
    if profile is Profile.PLAIN:
        return []
    while True:
        s1, s2, s3 = (random.randint(*HANDSHAKE_PADDINGS) for _ in range(3))
        s4 = random.choice(TRANSPORT_PADDINGS)
        least_junk = random.randint(*LEAST_JUNK_SIZES)
        headers = _random_headers(random) if profile is Profile.AWG2 else _random_words(random)
        settings = [
            ("Jc", str(random.randint(*JUNK_COUNTS))),
            ("Jmin", str(least_junk)),
            ("Jmax", str(least_junk + random.randint(*JUNK_SIZE_SPREADS))),
            *zip(("S1", "S2", "S3", "S4"), map(str, (s1, s2, s3, s4)), strict=True),
            *zip(("H1", "H2", "H3", "H4"), headers, strict=True),
        ]
        shape = Shape.of(settings)
        # Strangers are answered by cookies alone: by no more bytes than they sent.
        answers_larger = COOKIE_REPLY_SIZE + s3 > min(INITIATION_SIZE + s1, RESPONSE_SIZE + s2)
        met = any(shape.equal_sizes()) or any(shape.sizes_met_by_data())
        if len({s1, s2, s3, s4}) == 4 and not met and not answers_larger:
            return settings + (_version_3(random) if profile is Profile.AWG3 else [])


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


def _random_words(random: Random) -> list[str]:
    """Four words, one each: protected headers look random whatever is in them, and few words are met by chance.

    That matters with random trailers: every datagram is long enough to be a handshake message then.
    """
    words = {random.randint(FIRST_WORD, LAST_WORD) for _ in range(4)}
    return [str(word) for word in words] if len(words) == 4 else _random_words(random)


def _version_3(random: Random) -> list[tuple[str, str]]:
    """Protected headers, sizes that vary, no cookies, and times that are not WireGuard's.

    The key is the extension's, as all keys are. Data gets a padding of its own: the one that comes with trailers alone
    would make every acknowledgement as long as a page.
    """
    return [
        ("HeaderProtectionKey", _native.generate_preshared_key()),
        ("ContentPaddingAddition", _range(CONTENT_PADDINGS, CONTENT_PADDING_SPREADS, random)),
        ("RandomTrailers", YES),
        ("DisableCookies", YES),
        *_times(random),
    ]


def _times(random: Random) -> list[tuple[str, str]]:
    """Ranges in seconds, the last one in attempts.

    A session is renewed long before it is refused, and an end that is silent is not given up before its keepalive can
    have come. A busy link renews near the low end, which therefore keeps away from WireGuard's 120 s.
    """
    renewed = random.randint(65, 105)
    latest = renewed + random.randint(35, 60)
    refused = latest + random.randint(35, 60)
    return [
        ("RekeyAfterTime", f"{renewed}-{latest}"),
        ("RekeyTimeout", _range((4, 6), (2, 4), random)),
        ("RejectAfterTime", f"{refused}-{refused + random.randint(15, 40)}"),
        ("KeepaliveTimeout", _range((7, 11), (5, 9), random)),
        ("MaxHandshakeAttempts", _range((12, 18), (4, 9), random)),
    ]


def _range(least: tuple[int, int], spread: tuple[int, int], random: Random) -> str:
    first = random.randint(*least)
    return f"{first}-{first + random.randint(*spread)}"
