"""A blocking SOCKS5 client of a few lines (RFC 1928, CONNECT, no authentication), for tests."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interop.counterparts.ends import Address


_GREETING = b"\x05\x01\x00"  # version 5, and one method: no authentication


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


def take_all(connection: socket.socket) -> int:
    """How many bytes come before the other side's orderly end. Raises ConnectionResetError where it has none."""
    taken = 0
    while piece := connection.recv(1 << 20):
        taken += len(piece)
    return taken


def connect(proxy: Address | None, destination: Address, timeout: float = 30) -> socket.socket:
    """A connection to the destination (an address or a name) through the proxy, or, without one, straight.

    Raises RefusedError, OSError.
    """
    if proxy is None:
        return socket.create_connection(destination, timeout)
    connection, reply = ask(proxy, destination, timeout)
    if reply != 0:
        connection.close()
        raise RefusedError(reply)
    return connection


def ask(proxy: Address, destination: Address, timeout: float = 30) -> tuple[socket.socket, int]:
    """Ask the proxy for a connection: what came of it, open in any case, and the reply's code. Raises OSError."""
    connection = socket.create_connection(proxy, timeout)
    try:
        return connection, _request(connection, destination)
    except BaseException:
        connection.close()
        raise


def opening(destination: Address) -> bytes:
    """The greeting and the request in one piece, for whoever waits for no answer in between."""
    return _GREETING + _connect(destination)


def _request(connection: socket.socket, destination: Address) -> int:
    connection.sendall(_GREETING)
    if take(connection, 2) != b"\x05\x00":
        raise ConnectionError("the proxy wants authentication")
    connection.sendall(_connect(destination))
    _, reply, _, kind = take(connection, 4)
    take(connection, {1: 4, 4: 16}[kind] + 2)
    return reply


def _connect(destination: Address) -> bytes:
    return b"\x05\x01\x00" + address(destination)


def address(destination: Address) -> bytes:
    """An address or a name, and a port, as requests and datagrams have them (RFC 1928, section 5)."""
    host, port = destination
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return bytes([3, len(name)]) + name + port.to_bytes(2)
    return bytes([1 if found.version == 4 else 4]) + found.packed + port.to_bytes(2)
