"""A client's port forwards, with a real server behind the tunnel."""

import asyncio
import contextlib
import os
import socket

import pytest

from awgproxy import errors
from awgproxy._native import FlowClosed, FlowConnected
from awgproxy.config import parse
from awgproxy.proxy.destination import Destination
from awgproxy.session.client import ClientSession
from awgproxy.session.engine import client_engine
from awgproxy.session.forwards import datagrams, exposed, standard_streams
from tests.api.pair import CLIENT_ADDRESSES, serving, until
from tests.config.texts import CLIENT
from tests.session.running import named, running

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
async def world(tmp_path, monkeypatch):
    """Give a function that runs a client with more sections, in a block that gives its session; the server's engine."""
    async with serving(tmp_path, monkeypatch) as (texts, engine):

        @contextlib.asynccontextmanager
        async def client(sections):
            made = []
            config = parse(texts[0] + sections, "x.conf")

            def make(lifetime):
                exposes = len(config.tcp_server_tunnels) > 0
                made.append(ClientSession(config, client_engine(config, exposes=exposes), lifetime))
                return made[0]

            async with running(make) as _:
                await made[0]._tunnel.state.wait_up()
                yield made[0]

        yield client, engine


@pytest.fixture
async def echo():
    """The port of a TCP server that says everything again, behind a greeting."""

    async def handle(reader, writer):
        with contextlib.suppress(OSError):
            writer.write(b"hello ")
            writer.write(await reader.read())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_each_local_connection_becomes_one_to_the_target(world, echo, entries):
    client, _ = world
    sections = f"[TCPClientTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:{echo}\n"
    async with client(sections * 2) as session:
        assert session._listeners == {}  # no SOCKS5 that nobody asked for
        for forward in session._forwards._streams:
            reader, writer = await asyncio.open_connection(*forward._accepting.address)
            assert await reader.readexactly(6) == b"hello "
            writer.write(CONTENT)
            writer.write_eof()
            assert await reader.read() == CONTENT
            writer.close()
        assert session._forwards.counters["forwarded_connections"] == 2
    assert len(named(entries, "TCP forward is ready")) == 2


async def test_where_there_is_no_way_to_the_target_the_local_connection_is_reset(world):
    client, _ = world
    async with client("[TCPClientTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 10.1.2.3:80\n") as session:
        (forward,) = session._forwards._streams
        reader, writer = await asyncio.open_connection(*forward._accepting.address)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def dial(engine, port):
    """A connection of the server's own to the client's address."""
    _, descriptor = engine.open_stream([(CLIENT_ADDRESSES[0], port)])
    return await asyncio.open_connection(sock=socket.socket(fileno=descriptor))


async def test_a_port_at_the_tunnels_address_leads_to_a_target_of_this_side(world, echo):
    client, server = world
    sections = (
        f"[TCPServerTunnel]\nListenPort = 8080\nTarget = 127.0.0.1:{echo}\n"
        f"[TCPServerTunnel]\nListenPort = 8081\nTarget = localhost:{echo}\n"
    )
    async with client(sections) as session:
        for port in (8080, 8081):
            reader, writer = await dial(server, port)
            writer.write(CONTENT)
            writer.write_eof()
            assert await reader.read() == b"hello " + CONTENT
            writer.close()
        reader, writer = await dial(server, 8082)
        assert await reader.read() == b""
        writer.close()
        assert session._forwards.counters["exposed_connections"] == 2


async def test_a_target_that_cannot_be_looked_up_or_refuses_is_a_refusal(world, entries, monkeypatch):
    async def system_addresses(_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(exposed, "system_addresses", system_addresses)
    client, server = world
    sections = (
        "[TCPServerTunnel]\nListenPort = 8080\nTarget = 127.0.0.1:1\n"
        "[TCPServerTunnel]\nListenPort = 8081\nTarget = nobody.invalid:80\n"
    )
    async with client(sections):
        for port in (8080, 8081):
            reader, writer = await dial(server, port)
            assert await reader.read() == b""
            writer.close()
    (entry,) = named(entries, "a target cannot be looked up")
    assert (entry["name"], entry["reason"]) == ("nobody.invalid", "Name or service not known")


class Echo(asyncio.DatagramProtocol):
    def __init__(self):
        self.sources = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.sources.add(address)
        self.transport.sendto(data[::-1], address)


class Peer(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.Queue()

    def datagram_received(self, data, address):
        self.heard.put_nowait(data)


@pytest.fixture
async def udp_echo():
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    yield protocol, transport.get_extra_info("sockname")[1]
    transport.close()


async def ask(forward, *questions):
    """Send from a port of its own, and give the answers."""
    address = forward._socket.getsockname()
    transport, peer = await asyncio.get_running_loop().create_datagram_endpoint(Peer, remote_addr=address)
    answers = []
    for question in questions:
        transport.sendto(question)
        answers.append(await peer.heard.get())
    return transport, answers


async def test_each_local_source_has_a_flow_of_its_own(world, udp_echo):
    client, _ = world
    server, port = udp_echo
    sections = f"[UDPProxyTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:{port}\nInactivityTimeout = 3600\n"
    async with client(sections) as session:
        (forward,) = session._forwards._datagrams
        first, answers = await ask(forward, b"one", b"two")
        assert answers == [b"eno", b"owt"]
        second, answers = await ask(forward, b"x" * 1000)
        assert answers == [b"x" * 1000]
        assert len(server.sources) == 2
        assert len(forward._sources) == 2
        first.close()
        second.close()
    assert not forward._sources


async def test_a_silent_source_is_forgotten_and_comes_back(world, udp_echo, monkeypatch):
    client, _ = world
    server, port = udp_echo
    async with client(f"[UDPProxyTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:{port}\n") as session:
        (forward,) = session._forwards._datagrams
        transport, _ = await ask(forward, b"one")
        assert forward._timer is None  # by default the tunnel's own bound is enough
        forward._idle = 0.05
        transport.sendto(b"two")
        await until(lambda: forward._timer is not None)
        await until(lambda: not forward._sources)
        assert forward._timer is None
        transport.sendto(b"three")
        await until(lambda: len(server.sources) == 2)
        transport.close()


async def test_sources_are_bounded_and_the_most_silent_one_goes_first(world, udp_echo, monkeypatch):
    client, _ = world
    _, port = udp_echo
    monkeypatch.setattr(datagrams, "MAX_SOURCES", 2)
    async with client(f"[UDPProxyTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:{port}\n") as session:
        (forward,) = session._forwards._datagrams
        transports = []
        for _ in range(3):
            transport, answers = await ask(forward, b"ab")
            assert answers == [b"ba"]
            transports.append(transport)
        kept = {address[1] for address in forward._sources}
        assert kept == {one.get_extra_info("sockname")[1] for one in transports[1:]}
        for transport in transports:
            transport.close()


async def test_datagrams_that_find_no_way_are_counted(world):
    client, _ = world
    async with client("[UDPProxyTunnel]\nBindAddress = 127.0.0.1:0\nTarget = nowhere.test:53\n") as session:
        (forward,) = session._forwards._datagrams
        address = forward._socket.getsockname()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Peer, remote_addr=address)
        for _ in range(datagrams.MAX_WAITING + 2):
            transport.sendto(b"?")
        await until(lambda: forward.dropped >= 2)
        transport.close()


async def test_a_port_in_use_is_told(engine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, socket.create_server(("127.0.0.1", 0)) as listening:
        taken.bind(("127.0.0.1", 0))
        for section, port in (
            ("UDPProxyTunnel", taken.getsockname()[1]),
            ("TCPClientTunnel", listening.getsockname()[1]),
        ):
            text = CLIENT + f"[{section}]\nBindAddress = 127.0.0.1:{port}\nTarget = example.org:53\n"
            async with running(lambda lifetime, text=text: ClientSession(parse(text, "x.conf"), engine, lifetime)) as (
                _,
                task,
            ):
                with pytest.raises(errors.ListenError, match="in use"):
                    await task


# Standard input and output.


@pytest.fixture
def pipes():
    """What the program reads from and writes to: (source, what feeds it, what reads the sink, sink)."""
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


async def test_standard_streams_are_one_connection(world, echo, pipes):
    client, _ = world
    source, feed, read, sink = pipes
    async with client("[TCPClientTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:1\n") as session:
        outbound = session._tunnel.outbound
        destination = Destination("127.0.0.1", echo, is_name=False)
        carrying = asyncio.create_task(standard_streams.carry(outbound, destination, source=source, sink=sink))
        os.write(feed, b"from here")
        os.close(feed)
        await carrying
        assert os.read(read, 100) == b"hello from here"


async def test_a_failure_of_the_connection_or_of_the_output_is_told(world, echo, pipes):
    client, _ = world
    source, feed, read, sink = pipes
    async with client("[TCPClientTunnel]\nBindAddress = 127.0.0.1:0\nTarget = 127.0.0.1:1\n") as session:
        outbound = session._tunnel.outbound
        with pytest.raises(errors.ConnectionRefused):
            await standard_streams.carry(outbound, Destination("127.0.0.1", 1, is_name=False), source=source, sink=sink)
        os.close(read)
        destination = Destination("127.0.0.1", echo, is_name=False)
        with pytest.raises(errors.ConnectionLost, match="standard output"):
            await standard_streams.carry(outbound, destination, source=source, sink=sink)
        assert feed


async def test_the_program_ends_with_the_connection_of_its_standard_streams(engine, monkeypatch):
    async def carry(outbound, destination):
        await outbound.open_stream(destination)

    monkeypatch.setattr("awgproxy.session.client.carry", carry)
    text = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[STDIOTunnel]\nTarget = 192.0.2.7:22\n"
    for outcome in ("stands", "does not"):
        async with running(lambda lifetime: ClientSession(parse(text, "x.conf"), engine, lifetime)) as (_, task):
            flow = engine.next_flow
            await until(lambda flow=flow: engine.next_flow > flow)
            if outcome == "stands":
                engine.tell(FlowConnected(flow, ("192.0.2.7", 22)), FlowClosed(flow, "orderly", 0, 0, "done"))
                await task
            else:
                engine.tell(FlowClosed(flow, "timed-out", 0, 0, "nothing came"))
                with pytest.raises(errors.ConnectionLost):
                    await task
