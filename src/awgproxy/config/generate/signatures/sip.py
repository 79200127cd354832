"""A SIP OPTIONS request over UDP (RFC 3261, section 11), as I1: a phone that asks a server what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.generate.signatures.names import random_domain
from awgproxy.config.generate.signatures.tags import random_digits, random_letters, text

if TYPE_CHECKING:
    from random import Random

_PHONES = ("Linphone", "MicroSIP", "Zoiper", "baresip", "PolycomVVX", "Yealink SIP-T46U", "Grandstream GXP2170")


def options(random: Random) -> str:
    """Draw a request: server, phone and address are the pair's; branch, tag, caller and Call-ID each packet's."""
    port = random.choice((5060, random.randint(5061, 65_000)))
    host = f"192.168.{random.randint(0, 254)}.{random.randint(2, 254)}:{port}"
    domain = f"{random.choice(('sip', 'voip', 'pbx', 'phone'))}.{random_domain(random)}"
    user = f"{random.randint(1, 9)}"
    branch, tag, call = (random.randint(8, 20) for _ in range(3))
    phone = f"{random.choice(_PHONES)}/{random.randint(1, 9)}.{random.randint(0, 20)}.{random.randint(0, 40)}"
    return "".join(
        [
            text(f"OPTIONS sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {host};rport;branch=z9hG4bK"),
            random_letters(branch),
            text(f"\r\nMax-Forwards: 70\r\nFrom: <sip:{user}"),
            random_digits(random.randint(2, 5)),
            text(f"@{domain}>;tag="),
            random_letters(tag),
            text(f"\r\nTo: <sip:{domain}>\r\nContact: <sip:{host}>\r\nCall-ID: "),
            random_letters(call),
            text("\r\nCSeq: 1"),
            random_digits(random.randint(1, 4)),
            text(f" OPTIONS\r\nAccept: application/sdp\r\nUser-Agent: {phone}\r\nContent-Length: 0\r\n\r\n"),
        ]
    )
