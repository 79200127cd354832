"""The addresses of this machine, so that a server's clients do not reach what listens on them.

Linux lists them in /proc; elsewhere the addresses of the default routes are what is found. Sends nothing.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awgproxy.config.values import Address

_IPV4_TABLE = Path("/proc/net/fib_trie")
_IPV6_TABLE = Path("/proc/net/if_inet6")
_LOCAL_IPV4 = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
_OUTSIDE = ((socket.AF_INET, "203.0.113.1"), (socket.AF_INET6, "2001:db8::1"))


def host_addresses() -> list[Address]:
    """The machine's addresses, loopback ones left out, in no particular order."""
    found = {*_listed_ipv4(), *_listed_ipv6(), *_addresses_of_default_routes()}
    return [address for address in found if not address.is_loopback]


def _listed_ipv4() -> list[IPv4Address]:
    try:
        return [IPv4Address(text) for text in _LOCAL_IPV4.findall(_IPV4_TABLE.read_text())]
    except (OSError, ValueError):
        return []


def _listed_ipv6() -> list[IPv6Address]:
    try:
        lines = _IPV6_TABLE.read_text().splitlines()
        return [IPv6Address(bytes.fromhex(line.split()[0])) for line in lines]
    except (OSError, ValueError, IndexError):
        return []


def _addresses_of_default_routes() -> list[Address]:
    found: list[Address] = []
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))
                found.append(ip_address(probe.getsockname()[0].split("%")[0]))
        except OSError:
            continue
    return found
