"""A UDP association (RFC 1928, section 7): what an application that asked for one is given, and may send from.

The socket for its datagrams is bound where the application reached us, so that it is as reachable as the port that it
asked at, and of the same family of addresses.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awgproxy.proxy.destination import Destination


@dataclass(frozen=True, slots=True)
class Association:
    """Both sockets are non-blocking, out of the event loop, and belong to whoever this is handed to.

    `control` is the application's connection, whose end is the association's; the success was answered on it. Datagrams
    may come from the address `client` alone, and from `port` of it; 0 = that of the first one.
    """

    control: socket.socket
    datagrams: socket.socket
    client: str
    port: int


def bind_beside(control: socket.socket) -> socket.socket:
    """A socket for datagrams at the local address of an application's connection, on a port of its own.

    Raises:
        OSError: there is none to be had.
    """
    host, _, *rest = control.getsockname()
    plain = plain_address(host)
    bound = socket.socket(socket.AF_INET6 if ":" in plain else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.bind((plain, 0, *rest) if ":" in plain else (plain, 0))
    except OSError:
        bound.close()
        raise
    return bound


def plain_address(host: str) -> str:
    """An address without a zone, and one of IPv4 as such, which a socket for both kinds shows as one of IPv6."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def port_of(source: Destination, client: str) -> int:
    """The port that the application named for its datagrams; 0 where it did not know.

    What it says counts only of its own address, or of none: behind a translation of addresses it does not know better.
    """
    if source.is_name:
        return 0
    address = ipaddress.ip_address(source.host)
    return source.port if address.is_unspecified or str(address) == client else 0
