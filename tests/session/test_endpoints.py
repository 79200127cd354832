"""Endpoints that are names: looked up without waiting, each by itself, again and again until they are found."""

import asyncio
import socket
from collections import defaultdict

import pytest

from awgproxy._native import HandshakeCompleted, HandshakeFailed, HandshakeUnanswered, PeerRoamed
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
    """The system's answers by name, addresses or an exception each; it has forgotten names that have none left.

    Names are looked up again whenever a handshake fails."""
    answers = defaultdict(list)

    async def system_addresses(name):
        await asyncio.sleep(0)
        answer = answers[name].pop(0) if answers[name] else NOT_FOUND
        if isinstance(answer, Exception):
            raise answer
        return [answer] if isinstance(answer, str) else answer

    monkeypatch.setattr(endpoints, "system_addresses", system_addresses)
    monkeypatch.setattr(endpoints, "RETRY_SECONDS", (0.0, 0.001))
    monkeypatch.setattr(endpoints, "AGAIN_SECONDS", (0.0,))
    return answers


def keep(engine, text=CLIENT, **more):
    return EndpointKeeper(parse(text, "x.conf"), engine, **more)


def fail(keeper, peer):
    keeper.handlers[HandshakeFailed](HandshakeFailed(peer, "no answer", "is the endpoint right?"))


def unanswered(keeper, count=1, peer=PEER_KEY):
    for tries in range(1, count + 1):
        keeper.handlers[HandshakeUnanswered](HandshakeUnanswered(peer, tries))


def complete(keeper, engine, at, peer=PEER_KEY):
    engine.peers_at[peer] = at
    keeper.handlers[HandshakeCompleted](HandshakeCompleted(peer, "session", "initiator", False))


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


FIRST, SECOND, THIRD = ("192.0.2.1", 51820), ("192.0.2.2", 443), ("192.0.2.3", 51820)
THREE = CLIENT.replace(
    f"Endpoint = {VPN}:51820",
    "Endpoint = 192.0.2.1:51820, 192.0.2.2:443\nEndpoint = 192.0.2.3:51820",
)


async def test_the_next_endpoint_is_tried_when_one_does_not_answer_and_the_first_again_after_the_last(
    engine, system, entries
):
    with keep(engine, THREE) as keeper:
        for expected in (SECOND, THIRD, FIRST):
            while engine.calls_waiting() == 0:
                unanswered(keeper)
            assert await found(engine) == [expected]
    tried = named(entries, "another endpoint is tried")
    assert [entry["endpoint"] for entry in tried] == ["192.0.2.2:443", "192.0.2.3:51820", "192.0.2.1:51820"]
    assert {entry["peer"] for entry in tried} == {"peer 1"}


async def test_one_that_answered_stays_also_where_the_answer_was_late(engine, system, entries):
    with keep(engine, THREE) as keeper:
        unanswered(keeper)
        assert await found(engine) == [SECOND]
        complete(keeper, engine, FIRST)
        assert await found(engine) == [FIRST]
        complete(keeper, engine, FIRST)
        assert engine.calls_waiting() == 0


async def test_another_endpoint_that_answers_is_told_of(engine, system, entries):
    exchanged = []
    with keep(engine, THREE, exchanged=lambda: exchanged.append(1)) as keeper:
        complete(keeper, engine, FIRST)
        unanswered(keeper)
        complete(keeper, engine, FIRST)
        assert not exchanged
        unanswered(keeper)
        complete(keeper, engine, SECOND)
        assert exchanged == [1]


async def test_every_address_of_a_name_is_tried_with_its_ports(engine, system, entries):
    system[VPN] = [["2001:db8::1", "192.0.2.1"]] * 10
    with keep(engine, CLIENT.replace("51820", "20000-20100")) as keeper:
        assert await found(engine) == [("2001:db8::1", 20000)]
        while engine.calls_waiting() == 0:
            unanswered(keeper)
        assert await found(engine) == [("192.0.2.1", 20000)]


async def test_an_address_that_this_machine_cannot_reach_is_passed_over(engine, system, entries, monkeypatch):
    monkeypatch.setattr(endpoints, "own_address", lambda one, _: None if ":" in one.host else "192.0.2.200")
    system[VPN] = [["2001:db8::1", "192.0.2.1"]]
    with keep(engine):
        assert await found(engine) == [("192.0.2.1", 51820)]


async def test_a_name_that_is_not_found_leaves_its_turn_to_the_next(engine, system, entries):
    with keep(engine, CLIENT.replace(f"{VPN}:51820", f"{VPN}:51820, 192.0.2.2:443")) as keeper:
        assert await found(engine) == [SECOND]
        system[VPN] = ["192.0.2.1"]
        await asyncio.gather(*keeper._looking.values())
        assert engine.calls_waiting() == 0  # it is tried in its turn
        while engine.calls_waiting() == 0:
            unanswered(keeper)
        assert await found(engine) == [FIRST]


async def test_a_name_is_not_looked_up_again_for_each_initiation(engine, system, entries, monkeypatch):
    monkeypatch.setattr(endpoints, "AGAIN_SECONDS", (3600.0,))
    system[VPN] = ["192.0.2.1", "192.0.2.1", "192.0.2.66"]
    with keep(engine) as keeper:
        await found(engine)
        for _ in range(20):
            await asyncio.gather(*keeper._looking.values())
            unanswered(keeper)
        assert system[VPN] == ["192.0.2.66"]
        complete(keeper, engine, FIRST)
        unanswered(keeper)
        assert await found(engine) == [("192.0.2.66", 51820)]


async def test_what_failed_is_tried_at_once_when_the_network_changes(engine, system, entries, monkeypatch):
    monkeypatch.setattr(endpoints, "RETRY_SECONDS", (3600.0,))
    with keep(engine) as keeper:
        while not named(entries, "an endpoint cannot be set"):  # noqa: ASYNC110 - the log has no event to wait for
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        system[VPN] = ["192.0.2.1"]
        keeper.network_changed()
        assert await found(engine) == [FIRST]


async def test_a_peer_that_moved_and_answers_no_more_is_sought_where_it_was_configured(engine, system):
    with keep(engine, CLIENT.replace(VPN, "192.0.2.1")) as keeper:
        keeper.handlers[PeerRoamed](PeerRoamed(PEER_KEY, SECOND))
        unanswered(keeper, 2)
        assert engine.calls_waiting() == 0
        unanswered(keeper, 3)
        assert await found(engine) == [None]
        assert await found(engine) == [FIRST]
        unanswered(keeper, 3)
        assert engine.calls_waiting() == 0


async def test_pauses_differ_from_each_other():
    pauses = {endpoints._about(8.0) for _ in range(10)}
    assert len(pauses) > 1
    assert all(6 <= pause <= 10 for pause in pauses)
