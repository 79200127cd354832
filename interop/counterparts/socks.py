"""A blocking SOCKS5 client of a few lines (RFC 1928, CONNECT, no authentication), for tests."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interop.counterparts.ends import Address


class RefusedError(Exception):
    """The proxy answered with something other than success; `.reply` is its code."""

    def __init__(self, reply: int) -> None:
        super().__init__(f"the proxy replied {reply}")
        self.reply = reply


def take(connection: socket.socket, length: int) -> bytes:
    """Exactly that many bytes. Raises ConnectionError where the other side ends before."""
    taken = bytearray()
    while len(taken) < length:
        piece = connection.recv(length - len(taken))
        if not piece:
            raise ConnectionError(f"ended after {len(taken)} of {length} bytes")
        taken += piece
    return bytes(taken)


def connect(proxy: Address | None, destination: Address, timeout: float = 30) -> socket.socket:
    """A connection to the destination (an address or a name) through the proxy, or, without one, straight.

    Raises RefusedError, OSError.
    """
    if proxy is None:
        return socket.create_connection(destination, timeout)
    connection = socket.create_connection(proxy, timeout)
    try:
        _request(connection, destination)
    except BaseException:
        connection.close()
        raise
    return connection


def _request(connection: socket.socket, destination: Address) -> None:
    connection.sendall(b"\x05\x01\x00")
    if take(connection, 2) != b"\x05\x00":
        raise ConnectionError("the proxy wants authentication")
    connection.sendall(b"\x05\x01\x00" + _address(destination))
    _, reply, _, kind = take(connection, 4)
    if reply != 0:
        raise RefusedError(reply)
    take(connection, {1: 4, 4: 16}[kind] + 2)


def _address(destination: Address) -> bytes:
    host, port = destination
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return bytes([3, len(name)]) + name + port.to_bytes(2)
    return bytes([1 if address.version == 4 else 4]) + address.packed + port.to_bytes(2)
