"""Two engines over loopback: connections, datagrams, refusals, and an end in the middle."""

import asyncio
import hashlib
import random
import socket
import sys

import pytest

from awgproxy._native import EgressPolicy, FlowClosed, FlowConnected, FlowIncoming, FlowRefused, HandshakeCompleted
from tests.native.running import (
    CLIENT_ADDRESS,
    CLIENT_ADDRESS_6,
    PATIENCE,
    REPLIES,
    SERVER_ADDRESS,
    TARGET,
    TARGET_6,
    application,
    begin_connect,
    receive_all,
    receive_exactly,
    tunnel,
)

KINDS = ["portable", *(["batched"] if sys.platform == "linux" else [])]
SIZE = 8_000_000


async def summing_target():
    """A server that reads to the end, then answers with the sum and as many bytes of its own."""

    async def serve(reader, writer):
        uploaded = hashlib.sha256()
        while chunk := await reader.read(1 << 16):
            uploaded.update(chunk)
        download = random.Random(2).randbytes(SIZE)
        writer.write(uploaded.digest() + download)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize("udp", KINDS)
@pytest.mark.parametrize("destination", [TARGET, TARGET_6])
async def test_a_connection_carries_both_ways_and_half_closes(udp, destination):
    target = await summing_target()
    async with target, tunnel(udp) as (client, server):
        ours, handed = application()
        upload = random.Random(1).randbytes(SIZE)
        flow = client.engine.open([destination], handed.detach(), upload[:1000], REPLIES)

        incoming = await server.next(FlowIncoming)
        assert (incoming.kind, incoming.destination, incoming.to_self) == ("tcp", destination, False)
        server.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
        assert (await client.next(FlowConnected, flow)).destination == destination

        loop = asyncio.get_running_loop()
        assert await receive_exactly(ours, 1) == b"+"
        async with asyncio.timeout(PATIENCE):
            await loop.sock_sendall(ours, upload[1000:])
        ours.shutdown(socket.SHUT_WR)
        assert await receive_exactly(ours, 32) == hashlib.sha256(upload).digest()
        assert (
            hashlib.sha256(await receive_exactly(ours, SIZE)).digest()
            == hashlib.sha256(random.Random(2).randbytes(SIZE)).digest()
        )
        assert await receive_all(ours) == b""
        ours.close()

        for side, number in ((client, flow), (server, incoming.flow)):
            closed = await side.next(FlowClosed, number)
            assert (closed.outcome, closed.sent, closed.received) == ("orderly", SIZE, SIZE + 32)


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        ("refused", b"refused"),
        ("network-unreachable", b"network"),
        ("host-unreachable", b"host"),
        ("prohibited", b"prohibited"),
        ("timed-out", b"timeout"),
    ],
)
async def test_a_rejection_reaches_the_application_as_its_own_reply(reason, reply):
    async with tunnel() as (client, server):
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        server.engine.reject(incoming.flow, reason)
        assert await receive_all(ours) == reply
        assert (await client.next(FlowRefused, flow)).reason == reason
        assert (await server.next(FlowRefused, incoming.flow)).reason == reason
        for side, number in ((client, flow), (server, incoming.flow)):
            assert (await side.next(FlowClosed, number)).outcome == "refused"
        ours.close()


async def test_a_target_that_refuses_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    async with tunnel() as (client, server):
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        server.engine.attach(incoming.flow, begin_connect(address).detach())
        assert await receive_all(ours) == b"refused"
        assert (await client.next(FlowRefused, flow)).reason == "refused"
        ours.close()


async def test_a_later_destination_takes_over_from_one_that_fails():
    target = await asyncio.start_server(lambda _, writer: writer.write(b"hello"), "127.0.0.1", 0)
    async with target, tunnel() as (client, server):
        ours, handed = application()
        flow = client.engine.open([TARGET, TARGET_6], handed.detach(), b"", REPLIES)
        first = await server.next(FlowIncoming)
        assert first.destination == TARGET
        server.engine.reject(first.flow, "refused")
        second = await server.next(FlowIncoming)
        assert second.destination == TARGET_6
        server.engine.attach(second.flow, begin_connect(target.sockets[0].getsockname()).detach())
        assert await receive_exactly(ours, 6) == b"+hello"
        assert (await client.next(FlowConnected, flow)).destination == TARGET_6
        ours.close()


async def test_a_stream_for_python_has_nothing_but_the_connections_bytes():
    target = await asyncio.start_server(lambda _, writer: writer.write(b"hello"), "127.0.0.1", 0)
    async with target, tunnel() as (client, server):
        _, fd = client.engine.open_stream([TARGET])
        with socket.socket(fileno=fd) as stream:
            stream.setblocking(False)
            incoming = await server.next(FlowIncoming)
            server.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
            assert await receive_exactly(stream, 5) == b"hello"


async def test_datagrams_go_there_and_back_within_the_policy():
    policy = EgressPolicy([(True, "127.0.0.1/32", 0, 65535, ""), (False, "0.0.0.0/0", 0, 65535, "elsewhere")])
    async with tunnel(egress=policy) as (client, server):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer,
        ):
            target.bind(("127.0.0.1", 0))
            target.setblocking(False)
            outer.bind(("127.0.0.1", 0))
            flow, fd = client.engine.open_datagrams(target.getsockname())
            with socket.socket(fileno=fd) as ours:
                ours.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(ours, b"question")
                incoming = await server.next(FlowIncoming)
                assert (incoming.kind, incoming.destination) == ("udp", target.getsockname())
                assert incoming.source[0] == CLIENT_ADDRESS
                server.engine.attach(incoming.flow, outer.detach())
                async with asyncio.timeout(PATIENCE):
                    question, source = await loop.sock_recvfrom(target, 100)
                    assert question == b"question"
                    await loop.sock_sendto(target, b"answer", source)
                    assert await loop.sock_recv(ours, 100) == b"answer"
                client.engine.close_flow(flow)
                closed = await client.next(FlowClosed, flow)
                assert (closed.outcome, closed.sent, closed.received) == ("closed", 8, 6)


async def test_a_flow_to_the_servers_own_address_says_so():
    async with tunnel() as (client, server):
        client.engine.open_stream([(SERVER_ADDRESS, 53)])
        assert (await server.next(FlowIncoming)).to_self


async def test_events_and_snapshots_name_peers_by_their_keys():
    async with tunnel() as (client, server):
        up = await client.next(HandshakeCompleted)
        assert (up.role, up.rekey) == ("initiator", False)
        assert (await server.next(HandshakeCompleted)).role == "responder"
        snapshot = client.engine.snapshot()
        (peer,) = snapshot["peers"].values()
        assert list(snapshot["peers"]) == [up.peer]
        assert peer["endpoint"] == ("127.0.0.1", server.engine.local_port())
        assert peer["last_handshake"] >= 0
        assert snapshot["local_address"] == ("127.0.0.1", client.engine.local_port())
        assert all(isinstance(count, int) for count in snapshot["counters"].values())


@pytest.mark.parametrize("stopped_first", ["client", "server"])
async def test_stop_ends_in_the_middle_of_a_transfer(stopped_first):
    async def pour(_, writer):
        while not writer.is_closing():
            writer.write(bytes(1 << 16))
            await writer.drain()

    target = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with tunnel() as (client, server):
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        server.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
        await receive_exactly(ours, 1 << 20)
        side, number = (client, flow) if stopped_first == "client" else (server, incoming.flow)
        side.engine.stop()
        side.engine.stop()
        assert (await side.next(FlowClosed, number)).outcome == "stopped"
        if stopped_first == "client":
            await receive_all(ours)
        with pytest.raises(RuntimeError, match="not running"):
            side.engine.close_flow(number)
        ours.close()
    target.close()


async def test_a_removed_peers_connections_end_at_once_on_both_sides_of_them():
    with socket.create_server(("127.0.0.1", 0)) as target:
        target.setblocking(False)
        async with tunnel() as (client, server):
            ours, handed = application()
            client.engine.open([TARGET], handed.detach(), b"", REPLIES)
            incoming = await server.next(FlowIncoming)
            server.engine.attach(incoming.flow, begin_connect(target.getsockname()).detach())
            accepted, _ = await asyncio.get_running_loop().sock_accept(target)
            assert await receive_exactly(ours, 1) == b"+"
            server.engine.set_peers([])
            assert (await server.next(FlowClosed, incoming.flow)).outcome == "peer-gone"
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(ConnectionResetError):
                    await asyncio.get_running_loop().sock_recv(accepted, 1)
            accepted.close()
        ours.close()


async def test_a_client_may_take_connections_to_itself_alone():
    target = await summing_target()
    async with target, tunnel(client_accepts="to-self") as (client, server):
        await client.next(HandshakeCompleted)
        destination = (CLIENT_ADDRESS, 8080)
        flow, descriptor = server.engine.open_stream([destination])
        incoming = await client.next(FlowIncoming)
        assert (incoming.kind, incoming.destination, incoming.to_self) == ("tcp", destination, True)
        client.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
        assert (await server.next(FlowConnected, flow)).destination == destination
        with socket.socket(fileno=descriptor) as stream:
            stream.setblocking(False)
            stream.shutdown(socket.SHUT_WR)
            assert len(await receive_all(stream)) == 32 + SIZE

        flow, descriptor = server.engine.open_stream([(CLIENT_ADDRESS_6, 81)])
        client.engine.reject((await client.next(FlowIncoming)).flow, "refused")
        assert (await server.next(FlowRefused, flow)).reason == "refused"
        socket.socket(fileno=descriptor).close()
