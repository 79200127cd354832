"""A local port whose connections all lead to one service through a proxy, for programs that know no SOCKS5."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from interop.counterparts import socks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.counterparts.ends import Address

PIECE = 256 << 10


@contextlib.contextmanager
def forward(proxy: Address, service: Address) -> Iterator[int]:
    """Listen at a port of 127.0.0.1, of the network that the calling thread is in; yield its number.

    A connection that the proxy refuses is closed; an end of one side is passed on to the other.
    """
    open_ones: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = threading.Thread(target=_accept, args=(listener, proxy, service, open_ones))
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # which wakes who accepts
        accepting.join()
        for connection in (listener, *open_ones):
            connection.close()


def _accept(listener: socket.socket, proxy: Address, service: Address, open_ones: list[socket.socket]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            far = socks.connect(proxy, service)
        except (OSError, socks.RefusedError):
            near.close()
            continue
        far.settimeout(None)
        open_ones += [near, far]
        for way in ((near, far), (far, near)):
            threading.Thread(target=_pass, args=way, daemon=True).start()


def _pass(source: socket.socket, destination: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            destination.sendall(piece)
        destination.shutdown(socket.SHUT_WR)
