"""What is said to a server's services, through a proxy or straight, to find out whether the way is whole.

Every function raises AssertionError where what arrived is not what was sent, and OSError or socks.RefusedError where
the way is broken.
"""

from __future__ import annotations

import functools
import hashlib
import json
import socket
import time
from typing import TYPE_CHECKING

from interop.counterparts import socks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interop.counterparts.ends import Address

PERIOD = 1_000_003
PIECE = 256 << 10


@functools.cache
def _pattern() -> bytes:
    period = hashlib.shake_128(b"awgproxy interop").digest(PERIOD)
    return period + period[:PIECE]


def pieces(length: int) -> Iterator[memoryview]:
    """The first `length` bytes of the services' pattern, in pieces (see `internal/services/pattern.go`)."""
    offset = 0
    while length:
        size = min(length, PIECE)
        yield memoryview(_pattern())[offset : offset + size]
        offset = (offset + size) % PERIOD
        length -= size


def pattern_digest(length: int) -> str:
    """The SHA-256 of the first `length` bytes of the pattern."""
    digest = hashlib.sha256()
    for piece in pieces(length):
        digest.update(piece)
    return digest.hexdigest()


def echo(proxy: Address | None, service: Address, message: bytes = b"through the tunnel and back") -> None:
    """A message there and back; then our end of it, answered by the other's (half-close both ways)."""
    with socks.connect(proxy, service) as connection:
        connection.sendall(message)
        assert socks.take(connection, len(message)) == message
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def download(proxy: Address | None, service: Address, length: int, seconds: float = 0) -> None:
    """`length` bytes from the source, checked by their SHA-256; drawn out over `seconds` if that is not 0."""
    digest = hashlib.sha256()
    taken = 0
    with socks.connect(proxy, service) as connection:
        connection.sendall(b"%d\n" % length)
        begun = time.monotonic()
        while piece := connection.recv(PIECE):
            digest.update(piece)
            taken += len(piece)
            _pace(begun, seconds * taken / length)
    assert taken == length
    assert digest.hexdigest() == pattern_digest(length)


def upload(proxy: Address | None, service: Address, length: int, seconds: float = 0) -> None:
    """`length` bytes to the service that answers with their SHA-256; drawn out as `download`."""
    sent = 0
    with socks.connect(proxy, service) as connection:
        begun = time.monotonic()
        for piece in pieces(length):
            connection.sendall(piece)
            sent += len(piece)
            _pace(begun, seconds * sent / length)
        connection.shutdown(socket.SHUT_WR)
        answer = json.loads(connection.makefile().readline())
    assert answer == {"bytes": length, "sha256": pattern_digest(length)}


def _pace(begun: float, due: float) -> None:
    early = begun + due - time.monotonic()
    if early > 0:
        time.sleep(early)


def eventually(check: Callable[[], None], within: float) -> None:
    """Run the check until it no longer raises, for at most `within` s; then let its last error out."""
    deadline = time.monotonic() + within
    while True:
        try:
            check()
        except (OSError, socks.RefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
