"""A peer's limits across the boundary: what they are made of, what a snapshot shows, and the end of a quota."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from awgproxy import _native
from awgproxy._native import EgressPolicy, FlowClosed, FlowIncoming, FlowRefused, PeerLimits, PeerSettings, QuotaSpent
from tests.native.running import (
    CLIENT_ADDRESS,
    REPLIES,
    TARGET,
    Running,
    application,
    begin_connect,
    receive_all,
    receive_exactly,
    settings,
)


def test_limits_show_and_compare_what_they_are():
    limits = PeerLimits(flows=3, new_flows_per_second=0.5, bytes_per_second=1000)
    assert repr(limits) == "PeerLimits(flows=3, new_flows_per_second=0.5, bytes_per_second=1000, quota_bytes=None)"
    assert limits == PeerLimits(flows=3, new_flows_per_second=0.5, bytes_per_second=1000)
    assert limits != PeerLimits()


@pytest.mark.parametrize(
    "limit",
    [
        {"flows": -1},
        {"new_flows_per_second": 0},
        {"new_flows_per_second": -1.0},
        {"new_flows_per_second": float("nan")},
        {"new_flows_per_second": float("inf")},
        {"bytes_per_second": 0},
        {"quota_bytes": -1},
    ],
)
def test_what_is_no_limit_is_named(limit):
    with pytest.raises(ValueError, match=next(iter(limit))):
        PeerLimits(**limit)


@asynccontextmanager
async def limited(limits: PeerLimits):
    """A client and a server that gives it `limits`, the client's key, and a function that changes them."""
    client_key, server_key = _native.generate_private_key(), _native.generate_private_key()
    key = _native.public_key(client_key)

    def peer(limits: PeerLimits) -> PeerSettings:
        return PeerSettings(key, allowed_ips=[f"{CLIENT_ADDRESS}/32"], limits=limits, egress=EgressPolicy([]))

    server = Running(settings(private_key=server_key, peers=[peer(limits)], accept_flows=True))
    endpoint = ("127.0.0.1", server.engine.local_port())
    of_server = PeerSettings(_native.public_key(server_key), None, endpoint, ["0.0.0.0/0"])
    client = Running(settings(private_key=client_key, addresses=[CLIENT_ADDRESS], peers=[of_server]))
    try:
        yield client, server, key, lambda limits: server.engine.set_peers([peer(limits)])
    finally:
        client.stop()
        server.stop()


async def test_a_snapshot_shows_what_is_used_and_a_quota_ends_it():
    async with limited(PeerLimits()) as (client, server, key, change):
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        target = await asyncio.start_server(lambda reader, writer: writer.write(b"x" * 1000), "127.0.0.1", 0)
        async with target:
            server.engine.attach(incoming.flow, begin_connect(target.sockets[0].getsockname()).detach())
            assert await receive_exactly(ours, 1001) == b"+" + b"x" * 1000
            shown = server.engine.snapshot()["peers"][key]
            assert (shown["flows"], shown["relayed_bytes"]) == (1, 1000)
            assert shown["turned_away"] == {"flows": 0, "new-flows": 0, "quota": 0, "bandwidth": 0}

            change(PeerLimits(quota_bytes=0))
            assert (await server.next(QuotaSpent)).peer == key
            assert (await server.next(FlowClosed, incoming.flow)).outcome == "quota"
            assert (await client.next(FlowClosed, flow)).outcome == "reset"
        ours.close()


async def test_a_peer_without_quota_is_refused_by_the_ruleset():
    async with limited(PeerLimits(quota_bytes=0)) as (client, server, key, _):
        ours, handed = application()
        flow = client.engine.open([TARGET], handed.detach(), b"", REPLIES)
        assert (await client.next(FlowRefused, flow)).reason == "prohibited"
        assert await receive_all(ours) == b"prohibited"
        assert server.engine.snapshot()["peers"][key]["turned_away"]["quota"] == 1
        ours.close()


def test_no_text_shows_whose_quota_it_was():
    key = _native.public_key(_native.generate_private_key())
    event = QuotaSpent(key)
    assert event.peer == key
    assert key not in repr(event)
