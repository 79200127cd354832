"""SOCKS5 UDP associations over two engines: what crosses the boundary is a name and its addresses, never a datagram."""

import asyncio
import errno
import os
import socket

import pytest

from awgproxy._native import Engine, FlowClosed, FlowIncoming, NameWanted
from tests.native.running import application, settings, tunnel

ECHO = ("192.0.2.7", 4711)


def udp_socket() -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    return udp


def named(name: str, port: int) -> bytes:
    return bytes([0, 0, 0, 3, len(name)]) + name.encode() + port.to_bytes(2)


async def test_a_name_is_asked_for_and_its_datagrams_are_echoed():
    async with tunnel() as (client, server):
        loop = asyncio.get_running_loop()
        control, handed = application()
        relay, outer, own = udp_socket(), udp_socket(), udp_socket()
        proxy = relay.getsockname()
        flow = client.engine.open_association(handed.detach(), relay.detach(), "127.0.0.1", 0)
        await loop.sock_sendto(own, named("echo.example", ECHO[1]) + b"hello", proxy)

        wanted = await client.next(NameWanted, flow)
        assert wanted.name == "echo.example"
        assert repr(wanted) == f"NameWanted(flow={flow}, name='echo.example')"
        client.engine.name_found(flow, wanted.name, [ECHO[0]])
        incoming = await server.next(FlowIncoming)
        assert (incoming.kind, incoming.destination) == ("udp", ECHO)
        # No such address is here; what stands for it is the end that the flow gets.
        server.engine.attach(incoming.flow, outer.detach())
        control.close()
        closed = await client.next(FlowClosed, flow)
        assert (closed.outcome, closed.sent, closed.received) == ("orderly", 5, 0)
        own.close()


async def test_a_drained_engine_leaves_both_descriptors_with_the_caller():
    engine = Engine(settings())
    engine.start()
    engine.drain()
    ours, handed = application()
    relay = udp_socket()
    with ours, handed, relay:
        with pytest.raises(RuntimeError, match="draining"):
            engine.open_association(handed.fileno(), relay.fileno(), "127.0.0.1", 0)
        for fd in (handed.fileno(), relay.fileno()):
            os.fstat(fd)
    engine.stop()


def test_what_is_no_association_is_refused_and_stays_the_callers():
    engine = Engine(settings())
    engine.start()
    ours, handed = application()
    relay = udp_socket()
    with ours, handed, relay:
        for client, port in [("localhost", 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1)]:
            with pytest.raises(ValueError, match=r"client|port"):
                engine.open_association(handed.fileno(), relay.fileno(), client, port)
        with pytest.raises(ValueError, match="datagram_fd"):
            engine.open_association(handed.fileno(), handed.fileno(), "127.0.0.1", 0)
        with pytest.raises(OSError, match="descriptor") as caught:
            engine.open_association(handed.fileno(), 1_000_000, "127.0.0.1", 0)
        assert caught.value.errno == errno.EBADF
        with pytest.raises(ValueError, match=r"addresses\[1\]"):
            engine.name_found(1, "example.org", ["192.0.2.1", "nowhere"])
        for fd in (handed.fileno(), relay.fileno()):
            os.fstat(fd)
    engine.stop()
