"""A download through SOCKS5, as an application makes it."""

from __future__ import annotations

import hashlib
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from awgproxy.errors import TunnelError

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 30.0
STALL_SECONDS = 20.0
_READ_BYTES = 1 << 20
_REPLY_BYTES = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transfer brought: bytes, SHA-256 in hexadecimal, seconds."""

    size: int
    checksum: str
    seconds: float


def download(proxy: tuple[str, int], target: tuple[str, int], progress: Callable[[int], None]) -> Outcome:
    """Fetch all that `target` sends, through the SOCKS5 proxy.

    `progress` is called now and then with the bytes so far.

    Raises:
        TunnelError: the proxy refused or the transfer stalled.
    """
    try:
        with socket.create_connection(proxy, timeout=CONNECT_SECONDS) as connection:
            _ask(connection, target)
            connection.settimeout(STALL_SECONDS)
            return _fetch(connection, progress)
    except OSError as error:
        raise TunnelError(f"the transfer failed: {error}") from error


def _ask(connection: socket.socket, target: tuple[str, int]) -> None:
    connection.sendall(b"\x05\x01\x00")
    _expect(connection, b"\x05\x00", 2)
    host, port = target
    connection.sendall(b"\x05\x01\x00\x01" + socket.inet_aton(host) + port.to_bytes(2, "big"))
    _expect(connection, b"\x05\x00", _REPLY_BYTES)


def _expect(connection: socket.socket, start: bytes, length: int) -> None:
    answer = b""
    while len(answer) < length:
        data = connection.recv(length - len(answer))
        if not data:
            break
        answer += data
    if not answer.startswith(start):
        raise TunnelError(f"the proxy answered {answer.hex(' ') or 'nothing'}")


def _fetch(connection: socket.socket, progress: Callable[[int], None]) -> Outcome:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_READ_BYTES))
    size = 0
    started = time.monotonic()
    while count := connection.recv_into(buffer):
        digest.update(buffer[:count])
        size += count
        progress(size)
    return Outcome(size, digest.hexdigest(), time.monotonic() - started)
