"""Carried connections at the boundary: names go up and come out, and what is neither a name nor an address does not."""

import asyncio

import pytest

from awgproxy import _native
from awgproxy._native import (
    CarrierDown,
    CarrierUp,
    FlowClosed,
    FlowConnected,
    FlowIncoming,
    FlowRefused,
    PeerSettings,
)
from tests.native.running import (
    CARRIER,
    REPLIES,
    TARGET,
    application,
    begin_connect,
    receive_all,
    receive_exactly,
    settings,
    tunnel,
)

NAME = ("example.org", 443)


async def test_a_connection_by_name_comes_out_by_name():
    async def echo(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    async with tunnel(carrier="quic") as (client, server), await asyncio.start_server(echo, "127.0.0.1", 0) as target:
        up = await client.next(CarrierUp)
        assert up.peer in client.engine.snapshot()["peers"]
        ours, handed = application()
        flow = client.engine.open([NAME], handed.detach(), b"early, ", REPLIES)
        incoming = await server.next(FlowIncoming)
        assert (incoming.kind, incoming.destination, incoming.is_name, incoming.to_self) == ("tcp", NAME, True, False)
        server.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
        assert await receive_exactly(ours, 8) == b"+early, "
        assert (await client.next(FlowConnected, flow)).destination == NAME
        ours.close()
        assert (await client.next(FlowClosed, flow)).sent == 7
        assert server.engine.snapshot()["counters"]["carrier_established"] == 1


async def test_an_address_is_none_of_a_name_and_is_refused_as_such():
    async with tunnel(carrier="auto") as (client, server):
        await client.next(CarrierUp)
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        assert (incoming.destination, incoming.is_name) == (TARGET, False)
        server.engine.reject(incoming.flow, "failed")
        assert (await client.next(FlowRefused, flow)).reason == "failed"
        assert await receive_all(ours) == b"failed"
        ours.close()


async def test_a_carrier_that_nobody_takes_is_told():
    async with tunnel(carrier="auto") as (client, _server):
        await client.next(CarrierUp)
        key = next(iter(client.engine.snapshot()["peers"]))
        elsewhere = PeerSettings(key, None, None, ["0.0.0.0/0"], carrier_address=(CARRIER[0], 9))
        client.engine.set_peers([elsewhere])
        assert (await client.next(CarrierDown)).peer == key


@pytest.mark.parametrize("name", ["", "a b", "bücher.example", "a" * 254, "a\n"])
def test_what_is_no_name_is_refused(name):
    engine = _native.Engine(settings())
    with pytest.raises(ValueError, match=r"destinations\[1\]"):
        engine.open([TARGET, (name, 80)], 0, b"", REPLIES)


def test_settings_of_a_carrier_are_checked():
    with pytest.raises(ValueError, match="carrier: unknown"):
        settings(carrier="tcp")
    with pytest.raises(ValueError, match="carrier_port"):
        settings(carrier_port=0)
    with pytest.raises(ValueError, match="carrier_port"):
        _native.Engine(settings(carrier_port=51443))
    with pytest.raises(ValueError, match="carrier_address"):
        PeerSettings(_native.public_key(_native.generate_private_key()), carrier_address=("example.org", 1))
