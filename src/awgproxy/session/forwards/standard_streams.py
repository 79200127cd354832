"""``[STDIOTunnel]``: standard input and output as one connection through the tunnel, as ssh's ProxyCommand wants it.

Nothing but the connection's bytes goes to standard output. Threads carry them, since either may be a file or a
terminal, which no event loop can wait for, and since making a shared terminal non-blocking would harm its other users.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING

from awgproxy.errors import ConnectionLost

if TYPE_CHECKING:
    from awgproxy.proxy.destination import Destination
    from awgproxy.session.outbound import Flow, Outbound

_AT_ONCE = 65_536
_END_SECONDS = 5.0
"""How long a connection whose other side has ended may take to end on this one."""


async def carry(outbound: Outbound, destination: Destination, *, source: int = 0, sink: int = 1) -> None:
    """Connect, carry what comes from `source` there and what comes back to `sink`, until the other side has ended.

    The end of `source` ends this side alone: the answer is still waited for. What `source` says after the other side's
    end goes nowhere.

    Raises:
        NameLookupFailed, PolicyDenied, ConnectionFailed: the connection does not come to stand, or was lost; or `sink`
            takes no more.
    """
    flow = await outbound.open_stream(destination)
    loop = asyncio.get_running_loop()
    channel = flow.socket
    channel.setblocking(True)
    ended: asyncio.Future[OSError | None] = loop.create_future()

    def told(failure: OSError | None) -> None:
        if not ended.done():
            ended.set_result(failure)

    def back() -> None:
        failure = _receive(channel, sink)
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(told, failure)

    for work in (back, lambda: _send(source, channel)):
        threading.Thread(target=work, daemon=True).start()
    try:
        failure = await ended
        if failure is not None:
            raise ConnectionLost(f"standard output takes no more: {failure.strerror}") from failure
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_WR)
        await _until_over(flow)
    finally:
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)  # a thread may still wait there
        outbound.give_up(flow)
    if flow.failure is not None:
        raise flow.failure


async def _until_over(flow: Flow) -> None:
    over = asyncio.Event()
    flow.when_over(over.set)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), _END_SECONDS)


def _send(source: int, channel: socket.socket) -> None:
    with contextlib.suppress(OSError):  # a connection that has ended; the other way tells how
        while data := os.read(source, _AT_ONCE):
            channel.sendall(data)
        channel.shutdown(socket.SHUT_WR)


def _receive(channel: socket.socket, sink: int) -> OSError | None:
    """Until the end of the connection; gives what is wrong with the sink."""
    while True:
        try:
            data = channel.recv(_AT_ONCE)
        except OSError:
            return None
        if not data:
            return None
        try:
            while data:
                data = data[os.write(sink, data) :]
        except OSError as error:
            return error
