"""One question to one DNS server through the tunnel: a datagram, TCP where the answer is truncated, or both at once.

Each question has a flow, so a port, and an id of its own: an answer cannot be guessed. Nothing is asked twice here.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message

from awgproxy.egress.dns.servers import ServerSilent
from awgproxy.errors import NameLookupFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.egress.dns.tunnel_sockets import TunnelSockets

DNS_PORT = 53
_MAX_MESSAGE = 65535
_END: int = getattr(select, "POLLRDHUP", 0)  # Linux alone has it, and a pair whose ends learn of each other's end


async def ask(
    tunnel: TunnelSockets, server: str, question: dns.message.Message, seconds: float, *, beside_stream: bool
) -> tuple[dns.message.Message, bool]:
    """The answer within so many seconds, and whether TCP brought it while UDP had brought none.

    `beside_stream`: whether TCP is tried at the same time, as where datagrams have been lost.

    Raises:
        ServerSilent: there was none.
        NameLookupFailed: the tunnel gives no flow, or what came is no answer.
    """
    try:
        async with asyncio.timeout(seconds):
            if beside_stream:
                return await _first_of_both(tunnel, server, question)
            return await _by_datagram_first(tunnel, server, question), False
    except TimeoutError as error:
        raise ServerSilent("the DNS server does not answer") from error
    except _NoFlow as error:
        raise NameLookupFailed(f"the DNS server cannot be asked: {error}") from error
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise NameLookupFailed("the DNS server's answer is unusable") from error


async def _by_datagram_first(tunnel: TunnelSockets, server: str, question: dns.message.Message) -> dns.message.Message:
    answer = await _by_datagram(tunnel, server, question)
    if answer.flags & dns.flags.TC:
        return await _by_stream(tunnel, server, question)
    return answer


async def _first_of_both(
    tunnel: TunnelSockets, server: str, question: dns.message.Message
) -> tuple[dns.message.Message, bool]:
    loop = asyncio.get_running_loop()
    datagram = loop.create_task(_by_datagram_first(tunnel, server, question))
    stream = loop.create_task(_by_stream(tunnel, server, question))
    waiting = {datagram, stream}
    try:
        while True:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.exception() is None:
                    return task.result(), task is stream and datagram not in done
            if not waiting:
                return (await datagram), False  # raises
    finally:
        for task in (datagram, stream):
            task.cancel()
        await asyncio.gather(datagram, stream, return_exceptions=True)


async def _by_datagram(tunnel: TunnelSockets, server: str, question: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with _opening():
        flow, descriptor = tunnel.open_datagrams((server, DNS_PORT))
    with contextlib.ExitStack() as closing:
        closing.callback(tunnel.close_flow, flow)
        channel = closing.enter_context(socket.socket(fileno=descriptor))
        channel.setblocking(False)
        await loop.sock_sendall(channel, question.to_wire())
        while True:
            data = await loop.sock_recv(channel, _MAX_MESSAGE)
            if not data and _hung_up(channel):
                raise EOFError
            # Whatever is not the answer to this very question is passed over, as a guess would be.
            with contextlib.suppress(dns.exception.DNSException):
                answer = dns.message.from_wire(data)
                if question.is_response(answer):
                    return answer
            await asyncio.sleep(0)  # what is there already is read without waiting, and others have their turn


async def _by_stream(tunnel: TunnelSockets, server: str, question: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with _opening():
        _, descriptor = tunnel.open_stream([(server, DNS_PORT)])
    with socket.socket(fileno=descriptor) as channel:
        channel.setblocking(False)
        data = question.to_wire()
        await loop.sock_sendall(channel, len(data).to_bytes(2, "big") + data)
        length = int.from_bytes(await _receive_exactly(channel, 2), "big")
        answer = dns.message.from_wire(await _receive_exactly(channel, length))
    if not question.is_response(answer):
        raise EOFError
    return answer


class _NoFlow(Exception):  # noqa: N818 - named as its outcome is
    """The tunnel gave no flow: a bound is reached, no descriptor is left, or the engine ends."""


@contextlib.contextmanager
def _opening() -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise _NoFlow(getattr(error, "strerror", None) or str(error)) from error


def _hung_up(channel: socket.socket) -> bool:
    """Whether an empty read was the end; else it was an empty datagram."""
    poll = select.poll()
    poll.register(channel, _END)
    return any(events & (_END | select.POLLHUP) for _, events in poll.poll(0))


async def _receive_exactly(channel: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        data = await asyncio.get_running_loop().sock_recv(channel, count - len(received))
        if not data:
            raise EOFError
        received += data
    return bytes(received)
