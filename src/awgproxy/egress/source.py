"""The address that a server's connections leave from, where the configuration names one: one for each kind of IP."""

from __future__ import annotations

import errno
import socket
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awgproxy.config.values import Address

_BIND_ADDRESS_NO_PORT: Final = 24 if sys.platform == "linux" else None
"""linux/in.h, IP_BIND_ADDRESS_NO_PORT, for IPv6 as well: the port is chosen when the connection is begun, so that each
destination has all ports for itself. Python has a name for it from 3.12 on."""


class SourceAddresses:
    """Binds sockets to the configured addresses; those of a kind of IP without one are left to the system."""

    def __init__(self, addresses: Iterable[Address] = ()) -> None:
        """`addresses`: one of each kind of IP at most."""
        self._of = {address.version == 6: str(address) for address in addresses}

    def missing(self) -> str | None:
        """An address that this machine does not have; None where it has all of them.

        Raises:
            OSError: the system cannot say.
        """
        for ipv6, address in self._of.items():
            try:
                with socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind((address, 0))
            except OSError as error:
                # EINVAL: link-local, and so of one interface; EAFNOSUPPORT: there is no IPv6 at all
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL):
                    raise
                return address
        return None

    def bind_connecting(self, outer: socket.socket, destination: str) -> None:
        """Bind a socket that will connect to `destination`, an address.

        What is on this machine's loopback is left out: services there take only who comes by it, too.

        Raises:
            OSError: the address is not this machine's any more.
        """
        source = self._of.get(outer.family == socket.AF_INET6) if self._of else None
        if source is None or ip_address(destination).is_loopback:
            return
        if _BIND_ADDRESS_NO_PORT is not None and outer.type == socket.SOCK_STREAM:
            outer.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        outer.bind((source, 0))

    def bind(self, outer: socket.socket) -> None:
        """Bind a socket that sends datagrams to anywhere; raises as `bind_connecting`."""
        outer.bind((self._of.get(outer.family == socket.AF_INET6, ""), 0))
