"""Applications of UDP ASSOCIATE: a DNS client, and a QUIC client."""

import asyncio
import contextlib
import hashlib
import os
import socket
import threading

import dns.message
import dns.query
import pytest
import socks
from aioquic.asyncio import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from tests.system.applications import web


@contextlib.contextmanager
def datagrams(world):
    """A socket whose datagrams go by an association, names and all."""
    with world.inside():
        made = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
        made.set_proxy(socks.SOCKS5, "127.0.0.1", 1080, rdns=True)
        made.bind(("127.0.0.1", 0))
    with made:
        yield made


def test_a_dns_client(world):
    with datagrams(world) as made:
        for name, address in (("four.test", "127.0.0.1"), ("private.test", "10.1.2.3")):
            question = dns.message.make_query(name, "A")
            answer = dns.query.udp(question, "127.0.0.53", port=53, sock=made, timeout=60)
            assert [str(record) for rrset in answer.answer for record in rrset] == [address]


def test_a_destination_by_name(world):
    with world.inside():
        target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        target.bind(("127.0.0.1", 0))
    with target, datagrams(world) as made:
        target.settimeout(60)
        made.settimeout(60)
        made.sendto(b"by name", (web.NAME, target.getsockname()[1]))
        data, source = target.recvfrom(100)
        assert data == b"by name"
        target.sendto(b"and back", source)
        assert made.recvfrom(100) == (b"and back", ("127.0.0.1", target.getsockname()[1]))


def test_the_end_of_its_connection_is_the_end_of_an_association(world):
    with datagrams(world) as made:
        opened = world.client.wait_for("association open")
        assert made is not None
    ended = world.client.wait_for("connection closed", where=lambda entry: entry["flow"] == opened["flow"])
    assert ended["outcome"] == "orderly"


async def _digest(reader, writer):
    writer.write(hashlib.sha256(await reader.read()).digest())
    writer.write_eof()


@pytest.fixture
def quic_server(world, certificate):
    """Its port; it runs in a thread of its own, which is in the world's network."""
    with world.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ready, ending = threading.Event(), {}

    async def run():
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["digest"])
        configuration.load_cert_chain(certificate, certificate)
        ending["loop"], ending["event"] = asyncio.get_running_loop(), asyncio.Event()
        answering = set()

        def begin(reader, writer):
            task = asyncio.get_running_loop().create_task(_digest(reader, writer))
            answering.add(task)
            task.add_done_callback(answering.discard)

        server = await serve("127.0.0.1", port, configuration=configuration, stream_handler=begin)
        ready.set()
        await ending["event"].wait()
        server.close()

    def thread():
        with world.inside():
            asyncio.run(run())

    running = threading.Thread(target=thread, daemon=True)
    running.start()
    assert ready.wait(60)
    yield port
    ending["loop"].call_soon_threadsafe(ending["event"].set)
    running.join(60)


async def test_a_quic_client(world, certificate, quic_server):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["digest"], server_name=web.NAME)
    configuration.load_verify_locations(str(certificate))
    with datagrams(world) as made:
        made.setblocking(False)
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: QuicConnectionProtocol(QuicConnection(configuration=configuration)), sock=made
        )
        protocol.connect(("127.0.0.1", quic_server))
        await protocol.wait_connected()
        contents = [os.urandom(300_000) for _ in range(4)]
        assert await asyncio.gather(*(ask(protocol, content) for content in contents)) == [
            hashlib.sha256(content).digest() for content in contents
        ]
        protocol.close()
        await protocol.wait_closed()


async def ask(protocol, content):
    reader, writer = await protocol.create_stream()
    writer.write(content)
    writer.write_eof()
    return await reader.read()
