"""The table of configurations that awgproxy and the reference must speak, each in both directions.

One row a configuration; what is done under each is in `matrix`. TABLE has every parameter alone and every
combination that has its own difficulty; SIGNATURES has every tag in every signature parameter.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interop.counterparts.configuration import EVERYTHING, HANDSHAKE_ONLY, PADDED_DATA, Ours, Tunnel

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Configuration:
    """One tunnel: its settings, its server's outer address, awgproxy's own keys where it has a part."""

    tunnel: Tunnel = field(default_factory=Tunnel)
    host: str = "127.0.0.1"
    ours: Ours | None = None

    def alike(self, **changes: object) -> Configuration:
        """The same with other settings of the tunnel."""
        return dataclasses.replace(self, tunnel=dataclasses.replace(self.tunnel, **changes))


def only(**obfuscation: str) -> Configuration:
    return Configuration(Tunnel(obfuscation=obfuscation))


def chosen(obfuscation: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key: value for key, value in obfuscation.items() if key.startswith(prefix)}


JUNK = chosen(EVERYTHING, "J")
RANGES = chosen(EVERYTHING, "H")
VALUES = {"H1": "1148327621", "H2": "1763098457", "H3": "2031455092", "H4": "4294967295"}
WIDE = {
    "H1": "5-1073741823",
    "H2": "1073741824-2147483647",
    "H3": "2147483648-3221225471",
    "H4": "3221225472-4294967295",
}
"""Every word there is but WireGuard's four and 0: of what is random nothing can be told from a type word."""

TAGS = {
    "bytes": "<b 0xf6ab3267fa>",
    "random": "<r 24>",
    "digits": "<rd 8>",
    "letters": "<rc 12>",
    "time": "<t>",
    "data": "<d><r 4>",
    "data-text": "<ds><r 4>",
    "data-size": "<dz 4>",
}
"""Every tag that the reference takes; the last three stand for data, which a signature packet has none of.

`<d>` and `<ds>` have company, since alone they give a datagram of 0 bytes: whoever sends it, the reference's receiver
drops what came in one batch behind it (`conn/bind_std.go`, `splitCoalescedMessages`).
"""

EVERY_TAG = "".join(TAGS.values())

SIGNATURES = {
    f"{parameter}-{tag}": only(**{parameter: spec})
    for parameter in ("I1", "I2", "I3", "I4", "I5")
    for tag, spec in TAGS.items()
}

TABLE = {
    "plain": Configuration(),
    "junk": only(**JUNK),
    "junk-of-one-size": only(Jc="1", Jmin="64", Jmax="64"),
    **{f"{size}-alone": only(**{size: padding}) for size, padding in chosen(EVERYTHING, "S").items()},
    **{f"{word}-value": only(**{word: value}) for word, value in VALUES.items()},
    **{f"{word}-range": only(**{word: words}) for word, words in RANGES.items()},
    # Each tag once, and each parameter at least once.
    **{name: SIGNATURES[name] for name in (f"I{at % 5 + 1}-{tag}" for at, tag in enumerate(TAGS))},
    "every-tag": only(**dict.fromkeys(("I1", "I2", "I3", "I4", "I5"), EVERY_TAG)),
    "values": Configuration(Tunnel(obfuscation=EVERYTHING | VALUES)),
    "everything": Configuration(Tunnel(obfuscation=EVERYTHING)),
    "handshake-only": Configuration(Tunnel(obfuscation=HANDSHAKE_ONLY)),
    "wide": Configuration(Tunnel(obfuscation=EVERYTHING | WIDE)),
    "keepalive-padded": Configuration(
        Tunnel(obfuscation=PADDED_DATA, persistent_keepalive=1), ours=Ours(keepalive_padding="padded")
    ),
    "keepalive-bare": Configuration(
        Tunnel(obfuscation=PADDED_DATA, persistent_keepalive=1), ours=Ours(keepalive_padding="reference")
    ),
    # Sizes that two types of message share: the type word alone tells them apart.
    "response-like-initiation": only(S1="30", S2=str(30 + 56)),
    "cookie-like-initiation": only(S1="30", S3=str(30 + 84)),
    "data-like-initiation": only(S1="20", S4="8"),  # of 128 bytes of content: 8 + 32 + 128 = 20 + 148
    "all-alike": only(S1="20", S2="76", S3="104", S4="8", **RANGES),
    "preshared": Configuration(Tunnel(obfuscation=EVERYTHING, preshared=True)),
    "preshared-plain": Configuration(Tunnel(preshared=True)),
    "ipv6-in-ipv4": Configuration(Tunnel(obfuscation=EVERYTHING, inner=(6,))),
    "ipv4-in-ipv6": Configuration(Tunnel(obfuscation=EVERYTHING), host="::1"),
    "ipv6-in-ipv6": Configuration(Tunnel(obfuscation=EVERYTHING, inner=(6,)), host="::1"),
    "both-in-ipv6": Configuration(Tunnel(inner=(6, 4)), host="::1"),
    "mtu-1280": Configuration(Tunnel(obfuscation=EVERYTHING, inner=(4, 6), mtu=1280)),
    "mtu-1420": Configuration(Tunnel(obfuscation=EVERYTHING, mtu=1420)),
}

DIRECTIONS = {"our-client": ("awgproxy", "reference"), "our-server": ("reference", "awgproxy")}
"""Who is the client, and who the server."""

CHANGED = ("everything", "ipv6-in-ipv6")
"""What every change is tried with in each run of the tests."""

RENEWED = ("plain", "everything", "preshared", "keepalive-bare")
"""What is kept up until its keys are renewed."""

FULL = TABLE | SIGNATURES
