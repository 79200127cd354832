"""The values of a configuration: each function reads one kind of value from its text.

All raise `InvalidValue`, whose text says what is wrong and what would be right and never shows what may be a secret.
Obfuscation parameters are not read here: the extension knows them.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import TYPE_CHECKING, TypeVar

from awgproxy import _native

if TYPE_CHECKING:
    from collections.abc import Callable

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

LAST_PORT = 65_535
MOST_LISTEN_PORTS = 1024
"""How many ports one server listens on at once."""
DNS_PORT = 53
CARRIER_PORT = 51443
"""Where a server takes carried connections, at its own tunnel addresses, unless it is told otherwise."""
LONGEST_KEEPALIVE = (1 << 32) - 1
"""Seconds, as AmneziaWG 3 takes them."""
LONGEST_HOP = 86_400
"""Seconds: a day."""
MOST_WORKERS = 64
MOST_NAME = 32
"""Characters of the name of a set of parameters."""
IPV4_LEAST_MTU = 576
"""RFC 791, section 3.1."""
IPV6_LEAST_MTU = 1280
"""RFC 8200, section 5."""
LARGEST_MTU = 65_400
"""What the engine takes; S4 lowers it, see `path.most_mtu`."""
SHOWN_LENGTH = 60
_KEY_LIKE = re.compile(r"[A-Za-z0-9+/_-]{40,}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_BROADCAST = IPv4Address("255.255.255.255")
_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}")
_MARK = re.compile(r"0[xX]([0-9a-fA-F]{1,16})|([0-9]{1,20})")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")

Word = TypeVar("Word", bound=StrEnum)


class InvalidValue(ValueError):  # noqa: N818 - read as a noun in every message
    """A value that cannot be used; ``suggestion`` says what would be right."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        self.suggestion = suggestion
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, as an address or a name, and a port. ``str()`` puts an IPv6 address into brackets.

    ``last_port``: where the host listens on all ports from ``port`` to it; None where there is one.
    """

    host: str
    port: int
    last_port: int | None = None

    @property
    def address(self) -> Address | None:
        """The host as an address; None where it is a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def ports(self) -> PortRange:
        """Every port of the host."""
        return PortRange(self.port, self.port if self.last_port is None else self.last_port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.ports}" if ":" in self.host else f"{self.host}:{self.ports}"


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def overlaps(self, other: PortRange) -> bool:
        """Whether the two share a port."""
        return self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time that is drawn anew each time, from ``least`` to ``most`` seconds; a fixed one where they are equal."""

    least: int
    most: int

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same each time."""
        return self.least == self.most

    def __str__(self) -> str:
        return str(self.least) if self.is_fixed else f"{self.least}-{self.most}"


@dataclass(frozen=True, slots=True)
class SearchDomain:
    """What wg-quick takes in ``DNS`` beside addresses: a domain to search in. Names are always whole here: unused."""

    name: str


def looks_like_key(text: str) -> bool:
    """Whether a text holds a key in base64, or nearly one, and so must not be shown; ``0x…`` is none."""
    return _KEY_LIKE.search(_HEXADECIMAL.sub(" ", text)) is not None


def excerpt(text: str) -> str:
    """``text`` as a message may show it: cut where long, and only measured where it looks like a key."""
    if _KEY_LIKE.search(text):
        return f"(a text of {len(text)} characters)"
    printable = "".join(character if character.isprintable() else "?" for character in text[:SHOWN_LENGTH])
    return printable if len(text) <= SHOWN_LENGTH else f"{printable}…"


def shown(text: str) -> str:
    """An `excerpt` between back quotes."""
    return f"`{excerpt(text)}`"


def key(text: str) -> str:
    """A WireGuard key: 32 bytes in base64, neither zero nor of low order."""
    try:
        _native.check_key(text)
    except ValueError as error:
        raise InvalidValue(str(error), "make keys with `awgproxy genkey`, `pubkey` and `genpsk`") from None
    return text


def number(text: str, first: int, last: int, what: str) -> int:
    """A decimal number from ``first`` to ``last``."""
    if not _DIGITS.fullmatch(text) or not first <= int(text) <= last:
        raise InvalidValue(f"{shown(text)} is not {what}", f"a number from {first} to {last}")
    return int(text)


def port(text: str) -> int:
    """A port that can be reached: 1 to 65535."""
    return number(text, 1, LAST_PORT, "a port")


def listen_port(text: str) -> int:
    """A port to listen on; 0 lets the system choose."""
    return number(text, 0, LAST_PORT, "a port")


def listen_ports(text: str) -> PortRange:
    """One port to listen on, 0 for one that the system chooses, or ``first-last`` from 1 on."""
    return port_range(text) if "-" in text.strip("-") else PortRange(found := listen_port(text), found)


def mtu(text: str) -> int:
    """The largest inner packet, in bytes."""
    return number(text, IPV4_LEAST_MTU, LARGEST_MTU, "an MTU")


def firewall_mark(text: str) -> int | None:
    """A mark for the outer packets, decimal or hexadecimal; ``off`` or 0 is none."""
    if text.lower() == "off":
        return None
    found = _MARK.fullmatch(text)
    mark = (int(found[1], 16) if found[1] else int(found[2])) if found else 1 << 32
    if mark >= 1 << 32:
        raise InvalidValue(f"{shown(text)} is not a mark", "`off`, or a number of 32 bits such as 51820 or 0xca6c")
    return mark or None


def keepalive(text: str) -> Seconds | None:
    """Seconds between persistent keepalives, or a range of them; ``off`` or 0 is none."""
    if text.lower() == "off":
        return None
    found = _seconds(text, LONGEST_KEEPALIVE)
    if found.most and not found.least:
        raise InvalidValue(f"{shown(text)} begins at 0, which is never", f"write 1-{found.most}, or `off`")
    return found if found.most else None


def port_hop(text: str) -> Seconds | None:
    """Seconds until the port is drawn anew, or a range of them; ``off`` is never."""
    if text.lower() == "off":
        return None
    found = _seconds(text, LONGEST_HOP)
    if not found.least:
        raise InvalidValue(f"{shown(text)} leaves no time on a port", "from 1 s on, such as 30-90, or `off`")
    return found


def _seconds(text: str, longest: int) -> Seconds:
    first, dash, last = (part.strip() for part in text.partition("-"))
    least, most = (number(part, 0, longest, "a time in seconds") for part in (first, last if dash else first))
    if least > most:
        raise InvalidValue(f"{shown(text)} ends before it begins", f"write {most}-{least}")
    return Seconds(least, most)


def workers(text: str) -> int | None:
    """Into how many loops the engine parts; None for ``auto``."""
    return None if text.lower() == "auto" else number(text, 1, MOST_WORKERS, "a number of loops or `auto`")


def set_name(text: str) -> str:
    """The name of an ``[Obfuscation NAME]``."""
    if not _SET_NAME.fullmatch(text) or len(text) > MOST_NAME:
        suggestion = f"letters, digits, `-`, `_` and `.`, {MOST_NAME} at most, such as [Obfuscation phones]"
        raise InvalidValue(
            f"{shown(text)} is not a name for a set of parameters" if text else "has no name", suggestion
        )
    return text


def path(text: str) -> str:
    """A file's name, with folders or without."""
    if len(text.encode(errors="replace")) > 4096 or text.endswith("/"):
        raise InvalidValue(f"{shown(text)} is not a file's name", "such as /var/lib/awgproxy/server.state")
    return text


def address(text: str) -> Address:
    """One IPv4 or IPv6 address without a prefix."""
    _refuse_zone(text)
    try:
        return ip_address(text)
    except ValueError:
        raise InvalidValue(f"{shown(text)} is not an address", "such as 10.8.0.1 or fd00::1") from None


def interface(text: str) -> Interface:
    """An address with its network, ``10.8.0.2/24``; without a prefix, the address alone."""
    _refuse_zone(text)
    suggestion = "such as 10.8.0.2/32 or fd00::2/128"
    try:
        found = ip_interface(text)
    except ValueError:
        raise InvalidValue(f"{shown(text)} is not an address", suggestion) from None
    if found.ip.is_loopback or not is_one_hosts(found.ip):
        raise InvalidValue(f"{shown(text)} cannot be a tunnel's address", suggestion)
    return found


def network(text: str) -> Network:
    """A network, ``10.8.0.0/24``, or a single address. Bits past the prefix are cleared."""
    _refuse_zone(text)
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise InvalidValue(f"{shown(text)} is not a network", "such as 10.8.0.0/24, 0.0.0.0/0 or ::/0") from None
    if found.prefixlen == found.max_prefixlen:
        with contextlib.suppress(AttributeError):
            # A function that lists the one address: more memory than all the rest, and a server has thousands of them.
            del found.hosts
    return found


def is_one_hosts(found: Address) -> bool:
    """Whether an address can be that of one host: it is neither unspecified, nor multicast, nor broadcast."""
    plain = (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
    return not (plain.is_unspecified or plain.is_multicast or plain == _BROADCAST)


def _refuse_zone(text: str) -> None:
    """RFC 4007's zones name an interface of one machine, which means nothing in a tunnel."""
    if "%" in text:
        raise InvalidValue(f"{shown(text)} names a zone", "leave out the part from % on")


def host_name(text: str) -> str:
    """A DNS name, without a dot at its end."""
    name = text.removesuffix(".")
    try:
        ascii_name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        ascii_name = ""
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        raise InvalidValue(f"{shown(text)} is neither an address nor a host name", "such as vpn.example.org")
    return ascii_name


def dns_server(text: str) -> Address | SearchDomain:
    """What stands in ``[Interface] DNS``: a server's address, or a domain to search in."""
    try:
        return address(text)
    except InvalidValue as error:
        try:
            return SearchDomain(host_name(text))
        except InvalidValue:
            raise error from None


def endpoint(text: str) -> Endpoint:
    """``host:port`` or ``[address]:port``, both parts required; the address must be one that can be dialled.

    The port may be a range, ``first-last``.
    """
    found = _endpoint(text, port_range, "such as vpn.example.org:51820, 203.0.113.5:20000-20100 or [2001:db8::5]:51820")
    if found.address is not None:
        _refuse_nobodys(found.address)
    return found


def host_and_port(text: str) -> tuple[str, int | None]:
    """A host with or without a port: a name or an address, an IPv6 one also without brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        found = address(bare)
    except InvalidValue:
        if ":" not in text:
            return host_name(text), None
        both = endpoint(text)
        if both.last_port is not None:
            raise InvalidValue(f"{shown(text)} has several ports", "one port") from None
        return both.host, both.port
    _refuse_nobodys(found)
    return str(found), None


def _refuse_nobodys(found: Address) -> None:
    if not is_one_hosts(found):
        raise InvalidValue(f"{found} is no host's address", "the server's own, such as 203.0.113.5, or its name")


def listen_address(text: str) -> Endpoint:
    """An address of this machine and a port to listen on, 0 for any free one."""
    suggestion = "such as 127.0.0.1:1080 or [::1]:1080"
    found = _endpoint(re.sub("^localhost:", "127.0.0.1:", text), _one_port, suggestion)
    if found.address is None:
        raise InvalidValue(f"{shown(found.host)} is not an address of this machine", suggestion)
    return found


def forward_address(text: str) -> Endpoint:
    """As `listen_address`; without a host, every IPv4 address of this machine, as wireproxy has it."""
    return listen_address(f"0.0.0.0{text}" if text.startswith(":") else text)  # noqa: S104 - who writes so means so


def target(text: str) -> Endpoint:
    """A host by its name or address, and one port."""
    found = _endpoint(text, _fixed_port, "such as example.org:80, 192.0.2.7:80 or [2001:db8::7]:80")
    if found.address is not None:
        _refuse_nobodys(found.address)
    return found


def carrier_address(text: str) -> Endpoint:
    """Where a server takes carried connections inside the tunnel: an address and one port."""
    suggestion = f"the server's address in the tunnel, such as 10.8.0.1:{CARRIER_PORT} or [fd00::1]:{CARRIER_PORT}"
    found = _endpoint(text, _fixed_port, suggestion)
    if found.address is None:
        raise InvalidValue(f"{shown(found.host)} is a name", suggestion)
    if not is_one_hosts(found.address):
        raise InvalidValue(f"{found.address} is no host's address", suggestion)
    _refuse_dns_port(found.port)
    return found


def carrier_port(text: str) -> int | None:
    """A UDP port at a server's own tunnel addresses; ``none`` is no such port."""
    if text.lower() in {"none", "off"}:
        return None
    found = number(text, 1, LAST_PORT, "a port, nor `none`")
    _refuse_dns_port(found)
    return found


def _refuse_dns_port(found: int) -> None:
    if found == DNS_PORT:
        raise InvalidValue(f"{found} is where the server answers DNS", f"another port, such as {CARRIER_PORT}")


def idle_time(text: str) -> int:
    """Seconds without traffic; 0 is no bound of one's own."""
    return number(text, 0, LONGEST_HOP, "a time in seconds")


def _fixed_port(text: str) -> PortRange:
    found = port(text)
    return PortRange(found, found)


def _one_port(text: str) -> PortRange:
    found = listen_port(text)
    return PortRange(found, found)


def _endpoint(text: str, read_ports: Callable[[str], PortRange], suggestion: str) -> Endpoint:
    host, colon, port_text = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise InvalidValue(f"{shown(text)} is not a host and a port", suggestion)
    ports = read_ports(port_text)
    first, last = ports.first, ports.last if len(ports) > 1 else None
    if not bracketed:
        try:
            return Endpoint(str(IPv4Address(host)), first, last)
        except ValueError:
            return Endpoint(host_name(host), first, last)
    found = address(host[1:-1])
    if found.version != 6:
        raise InvalidValue(f"{shown(host)} is not an IPv6 address", suggestion)
    return Endpoint(str(found), first, last)


def port_range(text: str) -> PortRange:
    """One port or ``first-last``."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    found = PortRange(port(first), port(last if dash else first))
    if found.first > found.last:
        raise InvalidValue(f"{shown(text)} ends before it begins", f"write {found.last}-{found.first}")
    return found


def truth(text: str) -> bool:
    """``true`` or ``false``, also as yes/no, on/off, 1/0."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidValue(f"{shown(text)} is neither true nor false", "write `true` or `false`")


def word(text: str, words: type[Word]) -> Word:
    """One of the words of an enumeration, in any case."""
    try:
        return words(text.lower())
    except ValueError:
        raise InvalidValue(f"{shown(text)} is not known here", f"one of {', '.join(words)}") from None


def credential(text: str) -> str:
    """A user name or password: 1 to 255 bytes of UTF-8 (RFC 1929, section 2)."""
    size = len(text.encode(errors="replace"))
    if not 1 <= size <= 255:
        raise InvalidValue(f"{size} bytes long", "1 to 255 bytes (RFC 1929)")
    return text


def user(text: str) -> tuple[str, str]:
    """A user's name and password, `name:password`; the password may hold colons."""
    name, colon, password = text.partition(":")
    if not colon:
        raise InvalidValue("has no colon", "such as `alice:` and her password behind it")
    return credential(name), credential(password)
