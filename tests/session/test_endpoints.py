"""Endpoints that are names: looked up without waiting, each by itself, again and again until they are found."""

import asyncio
import socket
from collections import defaultdict

import pytest

from awgproxy._native import HandshakeFailed
from awgproxy.config.parse import parse
from awgproxy.session import endpoints
from awgproxy.session.endpoints import EndpointKeeper
from tests.config.texts import CLIENT, OTHER_KEY, PEER_KEY
from tests.session.running import named

VPN, OTHER = "vpn.example.org", "other.example.org"
TWO_PEERS = f"""{CLIENT.replace("0.0.0.0/0, ::/0", "10.9.0.0/16")}
[Peer]
PublicKey = {OTHER_KEY}
AllowedIPs = 10.8.0.3/32
Endpoint = {OTHER}:51821
"""
NOT_FOUND = socket.gaierror(-2, "Name or service not known")


@pytest.fixture
def system(monkeypatch):
    """The system's answers by name, addresses or an exception each; it has forgotten names that have none left."""
    answers = defaultdict(list)

    async def getaddrinfo(_, name, port, **__):
        await asyncio.sleep(0)
        answer = answers[name].pop(0) if answers[name] else NOT_FOUND
        if isinstance(answer, Exception):
            raise answer
        addresses = [answer] if isinstance(answer, str) else answer
        return [(socket.AF_UNSPEC, socket.SOCK_DGRAM, 17, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(endpoints, "RETRY_SECONDS", (0.0, 0.001))
    return answers


def keep(engine, text=CLIENT):
    return EndpointKeeper(parse(text, "x.conf"), engine)


def fail(keeper, peer):
    keeper.handlers[HandshakeFailed](HandshakeFailed(peer, "no answer", "is the endpoint right?"))


async def found(engine):
    """The endpoints that the engine is given next, in the configuration's order."""
    (peers,) = await engine.called("set_peers")
    return [peer.endpoint for peer in peers]


async def test_a_name_that_is_not_found_is_tried_again(engine, system, entries):
    system[VPN] = [NOT_FOUND] * 4 + ["192.0.2.1"]
    with keep(engine):
        assert await found(engine) == [("192.0.2.1", 51820)]
    failures = named(entries, "an endpoint cannot be set")
    assert [entry["retry_seconds"] for entry in failures] == [0.0, 0.001, 0.001, 0.001]
    assert {(entry["name"], entry["reason"]) for entry in failures} == {(VPN, "Name or service not known")}


NOBODYS = ("fe80::1%eth0", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1", "::ffff:0.0.0.0")


@pytest.mark.parametrize("nobodys", NOBODYS)
async def test_addresses_that_no_peer_can_have_are_passed_over(engine, system, entries, nobodys):
    system[VPN] = [[nobodys, "2001:db8::1", "192.0.2.1"]]
    with keep(engine):
        assert await found(engine) == [("2001:db8::1", 51820)]
    assert not entries


@pytest.mark.parametrize("answer", [NOBODYS, []])
async def test_a_name_without_an_address_that_a_peer_can_have_is_tried_again(engine, system, entries, answer):
    system[VPN] = [answer, "192.0.2.1"]
    with keep(engine):
        assert await asyncio.wait_for(found(engine), 5) == [("192.0.2.1", 51820)]
    (failure,) = named(entries, "an endpoint cannot be set")
    assert failure["reason"] == "it has no address that a peer can have: one host's, without a zone"


async def test_a_name_that_is_not_found_keeps_no_other_peer_down(engine, system, entries):
    system[OTHER] = ["192.0.2.2", "192.0.2.3"]
    with keep(engine, TWO_PEERS) as keeper:
        assert await found(engine) == [None, ("192.0.2.2", 51821)]
        fail(keeper, OTHER_KEY)
        assert await found(engine) == [None, ("192.0.2.3", 51821)]
        system[VPN] = ["192.0.2.1"]
        assert await found(engine) == [("192.0.2.1", 51820), ("192.0.2.3", 51821)]


async def test_names_that_are_found_at_once_are_all_kept(engine, system, entries):
    system |= {VPN: ["192.0.2.1"], OTHER: ["192.0.2.2"]}
    with keep(engine, TWO_PEERS):
        await found(engine)
        assert await found(engine) == [("192.0.2.1", 51820), ("192.0.2.2", 51821)]


async def test_an_address_that_stays_changes_nothing(engine, system, entries):
    system[VPN] = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    with keep(engine) as keeper:
        await found(engine)
        for _ in range(2):
            await asyncio.gather(*keeper._looking.values())
            fail(keeper, PEER_KEY)
        assert await found(engine) == [("192.0.2.2", 51820)]


async def test_one_look_up_of_a_name_at_a_time(engine, system, entries):
    system[VPN] = ["192.0.2.1", "192.0.2.2"]
    with keep(engine) as keeper:
        fail(keeper, PEER_KEY)
        fail(keeper, PEER_KEY)
        await found(engine)
        await asyncio.gather(*keeper._looking.values())
    assert system[VPN] == ["192.0.2.2"]


async def test_an_engine_that_does_not_take_it_is_told_again(engine, system, entries):
    system[VPN] = ["192.0.2.1"] * 1000
    engine.refusal = OSError(105, "too many commands wait")
    with keep(engine):
        while not entries:  # noqa: ASYNC110 - the log has no event to wait for
            await asyncio.sleep(0)
        engine.refusal = None
        await found(engine)
    assert entries[0]["reason"] == "too many commands wait"


async def test_addresses_and_strangers_are_not_looked_up(engine, system):
    with keep(engine, CLIENT.replace(VPN, "192.0.2.1")) as keeper:
        for peer in (PEER_KEY, OTHER_KEY, None):
            fail(keeper, peer)
        assert keeper._looking == {}


async def test_the_end_gives_up_what_is_under_way(engine, system, entries):
    with keep(engine) as keeper:
        (looking,) = keeper._looking.values()
    await asyncio.wait([looking])
    assert looking.cancelled()
