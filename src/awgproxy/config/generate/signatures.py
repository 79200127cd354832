"""Random recipes for I1, the packet that opens a handshake: something that networks see all day, in AWG 2.0's tags.

Each is a whole and valid message of its protocol, random where the protocol has it so, and drawn anew in what a client
of it may choose. No QUIC Initial: it is encrypted, so tags could only repeat one recording. The tags are those that the
reference accepts: b, r, rc, rd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def random_signature(random: Random) -> str:
    """Draw a protocol and a message of it."""
    return random.choice((stun_binding_request, dns_query, dtls_client_hello, ntp_request, sip_options))(random)


def stun_binding_request(random: Random) -> str:
    """RFC 8489, section 5: header, magic cookie, transaction id; a SOFTWARE attribute (section 14.14)."""
    length = 4 * random.randint(3, 9)
    header = f"0001{length + 4:04x}2112a442"
    return f"<b 0x{header}><r 12><b 0x8022{length:04x}><rc {length}>"


def dns_query(random: Random) -> str:
    """RFC 1035, section 4: one question for a random name below a random domain, with EDNS (RFC 6891) or without."""
    label = random.randint(8, 20)
    domain = "".join(random.choice(LETTERS) for _ in range(random.randint(4, 11)))
    names = [domain, random.choice(("com", "net", "org", "io", "info", "cloud"))]
    below = "".join(f"{len(name):02x}{name.encode().hex()}" for name in names)
    kind = random.choice((1, 28, 65))  # A, AAAA, HTTPS
    size = random.choice((1232, 1400, 1452, 4096))
    edns = random.random() < 0.5
    additional = f"000029{size:04x}000000000000" if edns else ""
    header = f"01000001000000000000{label:02x}" if not edns else f"01000001000000000001{label:02x}"
    return f"<r 2><b 0x{header}><rc {label}><b 0x{below}00{kind:04x}0001{additional}>"


def dtls_client_hello(random: Random) -> str:
    """RFC 6347, section 4: a first ClientHello, as browsers send it for WebRTC, its lists in random order."""
    ciphers = ["c02b", "c02f", "cca9", "cca8", "c009", "c013", "c00a", "c014"]
    groups = ["001d", "0017", "0018"]
    algorithms = ["0403", "0804", "0401", "0503", "0805", "0501", "0806", "0601"]
    profiles = ["0001", "0007", "0008"]
    extensions = [
        "00170000",  # extended master secret
        "ff01000100",  # renegotiation info
        "000b00020100",  # uncompressed points
        _list_extension("000a", _some(groups, 2, random)),
        _list_extension("000d", _some(algorithms, 5, random)),
        _list_extension("000e", _some(profiles, 1, random), after="00"),
    ]
    random.shuffle(extensions)
    suites, offered = "".join(_some(ciphers, 4, random)), "".join(extensions)
    before = "fefd"
    after = f"0000{len(suites) // 2:04x}{suites}0100{len(offered) // 2:04x}{offered}"
    body = len(before + after) // 2 + 32
    handshake = f"01{body:06x}0000000000{body:06x}"
    record = f"16feff0000000000000000{body + 12:04x}"
    return f"<b 0x{record}{handshake}{before}><r 32><b 0x{after}>"


def ntp_request(random: Random) -> str:
    """RFC 5905, section 7.3: a client's request; modern ones fill in nothing but a random transmit timestamp."""
    poll, precision = random.randint(4, 10), random.choice((0, 0x20, *range(0xE7, 0xF0)))
    return f"<b 0x2300{poll:02x}{precision:02x}{'00' * 36}><r 8>"


def sip_options(random: Random) -> str:
    """RFC 3261, section 11: a phone that asks a server what it can do."""
    host = ".".join(str(random.randint(11, 223)) for _ in range(4))
    server = "".join(random.choice(LETTERS) for _ in range(random.randint(4, 10)))
    domain = f"sip.{server}.{random.choice(('com', 'net', 'org'))}"
    user, tag, branch, call = (random.randint(3, 6), *(random.randint(8, 16) for _ in range(3)))
    parts = [
        _text(f"OPTIONS sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bK"),
        f"<rc {branch}>",
        _text(f";rport\r\nMax-Forwards: 70\r\nTo: <sip:{domain}>\r\nFrom: <sip:"),
        f"<rd {user}>",
        _text(f"@{domain}>;tag="),
        f"<rc {tag}>",
        _text("\r\nCall-ID: "),
        f"<rc {call}>",
        _text(f"@{host}\r\nCSeq: "),
        f"<rd {random.randint(2, 5)}>",
        _text(" OPTIONS\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"),
    ]
    return "".join(parts)


def _text(text: str) -> str:
    return f"<b 0x{text.encode().hex()}>"


def _some(values: list[str], least: int, random: Random) -> list[str]:
    """At least ``least`` of the values, in random order."""
    return random.sample(values, random.randint(least, len(values)))


def _list_extension(kind: str, values: list[str], after: str = "") -> str:
    """A TLS extension that holds one list with a length of two bytes."""
    listed = "".join(values)
    content = f"{len(listed) // 2:04x}{listed}{after}"
    return f"{kind}{len(content) // 2:04x}{content}"
