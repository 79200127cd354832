"""A server's session on an engine in memory: what becomes of each flow that a peer begins."""

import socket
from pathlib import Path

import pytest

from awgproxy._native import FlowClosed, FlowIncoming, HandshakeFailed, InitiationAccepted
from awgproxy.config.parse import parse
from awgproxy.egress import forwarder
from awgproxy.egress.resolver import Resolver
from awgproxy.session.server import ServerSession
from awgproxy.session.terms import Terms
from awgproxy.session.timestamps import LastTimestamps
from tests.config.texts import OTHER_KEY, PEER_KEY, SERVER
from tests.session.running import named, running

SOURCE = ("10.8.0.2", 40000)


def serve(engine, text=SERVER, folder=Path("nowhere")):
    config = parse(text, str(folder / "x.conf"))
    terms = Terms(config)
    timestamps = LastTimestamps(config.state_file, [peer.public_key for peer in config.peers])
    return running(lambda lifetime: ServerSession(config, engine, terms, timestamps, lifetime))


@pytest.fixture
def target():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def incoming(flow, destination, kind="tcp", *, to_self=False):
    return FlowIncoming(flow, kind, PEER_KEY, SOURCE, destination, to_self)


ALLOWED = SERVER.replace("[Server]\n", "[Server]\nAllow = 127.0.0.1\nDNS = 127.0.0.1\n")


async def test_a_connection_is_dialled_and_handed_over(engine, target):
    async with serve(engine, ALLOWED):
        engine.tell(incoming(7, target.getsockname()))
        assert await engine.called("attach") == (7,)
        assert engine.attached[7].getpeername() == target.getsockname()


@pytest.mark.parametrize(
    ("destination", "reason"),
    [(("10.1.2.3", 80), "private"), (("93.184.215.14", 25), "port 25"), (("127.0.0.1", 80), "loopback")],
)
async def test_what_the_policy_forbids_is_rejected_and_not_dialled(engine, entries, destination, reason):
    async with serve(engine):
        engine.tell(incoming(1, destination))
        assert await engine.called("reject") == (1, "prohibited")
    assert engine.attached == {}
    (entry,) = named(entries, "connection refused")
    assert destination[0] in entry["reason"]
    assert reason in entry["reason"]
    assert entry["log_level"] == "debug"


async def test_a_peers_own_rules_hold_for_it_and_for_nobody_else(engine, target):
    host, port = target.getsockname()
    text = f"{ALLOWED}DenyPorts = {port}\n[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n"
    async with serve(engine, text):
        engine.tell(
            incoming(1, (host, port)), FlowIncoming(2, "tcp", OTHER_KEY, ("10.8.0.3", 40000), (host, port), False)
        )
        assert await engine.called("reject") == (1, "prohibited")
        assert await engine.called("attach") == (2,)


async def test_a_name_is_looked_up_judged_and_dialled(engine, target, entries, monkeypatch):
    host, port = target.getsockname()
    found = {"one.test": [host], "both.test": ["10.1.2.3", host], "private.test": ["10.1.2.3"]}

    async def resolve(_, name):
        return found[name]

    monkeypatch.setattr(Resolver, "resolve", resolve)
    async with serve(engine, ALLOWED) as (lifetime, task):
        for flow, name in enumerate(found, 1):
            engine.tell(FlowIncoming(flow, "tcp", PEER_KEY, SOURCE, (name, port), False, True))
        assert {await engine.called("attach") for _ in range(2)} == {(1,), (2,)}
        assert await engine.called("reject") == (3, "prohibited")
        lifetime.stop()
        await engine.called("drain")
        assert not task.done()
        engine.tell(*(FlowClosed(flow, "orderly", 1, 2, "both were done") for flow in (1, 2, 3)))
        await task
    assert engine.attached[2].getpeername() == (host, port)
    (entry,) = named(entries, "counters")
    assert entry["connections_prohibited"] == 1


async def test_a_source_of_datagrams_gets_a_socket_of_its_own(engine):
    async with serve(engine):
        engine.tell(incoming(2, ("192.0.2.9", 4000), "udp"))
        await engine.called("attach")
        assert engine.attached[2].type == socket.SOCK_DGRAM
        with pytest.raises(OSError, match="not connected"):
            engine.attached[2].getpeername()


async def test_at_its_own_address_there_is_dns_and_nothing_else(engine):
    async with serve(engine, ALLOWED):
        engine.tell(incoming(1, ("10.8.0.1", 80), to_self=True), incoming(2, ("10.8.0.1", 53), "udp", to_self=True))
        assert await engine.called("reject") == (1, "refused")
        assert await engine.called("attach") == (2,)
        assert engine.attached[2].getpeername() == ("127.0.0.1", 53)


async def test_dns_without_an_upstream_is_refused_and_logged(engine, entries, monkeypatch, tmp_path):
    monkeypatch.setattr(forwarder, "_SYSTEM_FILE", tmp_path / "absent")
    async with serve(engine):
        engine.tell(incoming(1, ("10.8.0.1", 53), "udp", to_self=True))
        assert await engine.called("reject") == (1, "refused")
    (entry,) = named(entries, "DNS is refused")
    assert "[Server]" in entry["reason"]


async def test_draining_waits_for_connections(engine, target):
    async with serve(engine, ALLOWED) as (lifetime, task):
        engine.tell(incoming(7, target.getsockname()))
        await engine.called("attach")
        lifetime.stop()
        await engine.called("drain")
        assert not task.done()
        engine.tell(FlowClosed(7, "orderly", 1, 2, "both were done"))
        await task
    assert engine.state == "stopped"


async def test_draining_does_not_wait_for_datagrams(engine, entries):
    async with serve(engine, ALLOWED) as (lifetime, task):
        engine.tell(incoming(1, ("192.0.2.9", 4000), "udp"), incoming(2, ("10.8.0.1", 53), "udp", to_self=True))
        await engine.called("attach")
        await engine.called("attach")
        lifetime.stop()
        await task
    assert named(entries, "waiting for open connections") == []


async def test_a_peers_endpoint_by_name_is_looked_up_and_again_when_a_handshake_fails(engine, entries, monkeypatch):
    addresses = iter(["192.0.2.1", "192.0.2.2"])

    async def system_addresses(_):
        return [next(addresses)]

    monkeypatch.setattr("awgproxy.session.endpoints.system_addresses", system_addresses)
    async with serve(engine, SERVER + "Endpoint = client.example.org:51820\n"):
        ((peer,),) = await engine.called("set_peers")
        assert peer.endpoint == ("192.0.2.1", 51820)
        engine.tell(HandshakeFailed(PEER_KEY, "no answer", "is the endpoint right?"))
        ((peer,),) = await engine.called("set_peers")
        assert peer.endpoint == ("192.0.2.2", 51820)
    assert named(entries, "handshake failed")


@pytest.mark.parametrize("refusal", [OSError(105, "too many commands wait"), RuntimeError("the engine does not run")])
async def test_an_engine_that_takes_nothing_any_more_costs_no_socket(engine, entries, target, refusal):
    async with serve(engine, ALLOWED) as (lifetime, task):
        engine.refusal = refusal
        engine.tell(incoming(1, target.getsockname()), incoming(2, ("10.1.2.3", 80)))
        engine.tell(FlowClosed(1, "stopped", 0, 0, ""), FlowClosed(2, "stopped", 0, 0, ""))
        lifetime.stop()
        await engine.called("drain")
        await task
    assert len(named(entries, "a flow could not be refused")) == 2
    assert named(entries, "an event could not be handled") == []
    accepted, _ = target.accept()
    accepted.settimeout(10)
    assert accepted.recv(1) == b""
    accepted.close()


async def test_the_last_handshakes_are_kept_even_those_heard_of_while_it_ends(engine, tmp_path):
    last = bytes(range(12))
    async with serve(engine, folder=tmp_path) as (lifetime, task):
        engine.tell(InitiationAccepted(PEER_KEY, last))
        lifetime.stop()
        await task
    assert LastTimestamps(tmp_path / "x.conf.state", [PEER_KEY]).known == {PEER_KEY: last}


async def test_what_is_used_of_a_quota_survives_a_restart(engine, tmp_path):
    text = SERVER + "MonthlyQuota = 1 kB\n"
    async with serve(engine, text, folder=tmp_path) as (lifetime, task):
        engine.counted[PEER_KEY] = {"relayed_bytes": 300, "flows": 0}
        lifetime.stop()
        await task
    assert Terms(parse(text, str(tmp_path / "x.conf"))).usage.rest(PEER_KEY) == 700
