"""A client's session on an engine in memory: what becomes of an application's request, and how it all ends."""

import asyncio
import socket

import pytest

from awgproxy._native import EngineFailed, FlowClosed, FlowConnected, FlowRefused, HandshakeCompleted, HandshakeFailed
from awgproxy.config.parse import parse
from awgproxy.egress import resolver
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import ListenError, TunnelError
from awgproxy.proxy.socks5 import ANSWERS, Reply
from awgproxy.session.client import ClientSession
from tests.config.texts import CLIENT, PEER_KEY
from tests.memory import DnsEngine
from tests.session.running import named, running

BY_ADDRESS = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n"
WITHOUT_DNS = BY_ADDRESS.replace("DNS = 10.8.0.1\n", "")


class Client:
    """A running client session, and applications of it."""

    def __init__(self, engine, lifetime, task, session):
        self.engine, self.lifetime, self.task, self.session = engine, lifetime, task, session

    async def application(self, host: str, port: int, early=b""):
        """Greet and ask for a connection: (reader, writer)."""
        reader, writer = await asyncio.open_connection(*self.session._listeners["SOCKS5"].address)
        writer.write(b"\x05\x01\x00")
        assert await reader.readexactly(2) == b"\x05\x00"
        name = host.encode()
        writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big") + early)
        return reader, writer

    async def reply_to(self, host: str) -> tuple[int, bytes]:
        """The reply's code, and what follows it."""
        reader, writer = await self.application(host, 443)
        reply = await reader.readexactly(10)
        rest = await reader.read()
        writer.close()
        return reply[1], rest


@pytest.fixture
def start(engine):
    """Give a function that runs a client of a configuration's text, in a block."""

    def start(text, engine=engine):
        made = []

        def make(lifetime):
            made.append(ClientSession(parse(text, "x.conf"), engine, lifetime))
            return made[0]

        class Block:
            async def __aenter__(self):
                self.block = running(make)
                lifetime, task = await self.block.__aenter__()
                return Client(engine, lifetime, task, made[0])

            async def __aexit__(self, *error):
                return await self.block.__aexit__(*error)

        return Block()

    return start


async def test_a_request_goes_to_the_engine_with_its_socket_and_its_early_bytes(start, engine, entries):
    async with start(BY_ADDRESS) as client:
        reader, writer = await client.application("192.0.2.7", 443, b"early")
        destinations, early, replies, flow = await engine.called("open")
        assert (destinations, early, replies) == ([("192.0.2.7", 443)], b"early", ANSWERS.replies)
        engine.far_ends[0].sendall(b"from the tunnel")
        assert await reader.readexactly(15) == b"from the tunnel"
        engine.tell(FlowConnected(flow, ("192.0.2.7", 443)), FlowClosed(flow, "orderly", 5, 15, "both were done"))
        client.lifetime.stop()
        await client.task
        writer.close()
    (closed,) = named(entries, "connection closed")
    assert (closed["outcome"], closed["sent"], closed["received"]) == ("orderly", 5, 15)
    assert named(entries, "connection open")
    assert {entry["log_level"] for entry in entries if entry["event"].startswith("connection")} == {"debug"}


async def test_draining_takes_no_applications_and_waits_for_those_that_are_connected(start, engine):
    async with start(BY_ADDRESS) as client:
        address = client.session._listeners["SOCKS5"].address
        _, writer = await client.application("192.0.2.7", 443)
        *_, flow = await engine.called("open")
        client.lifetime.stop()
        await engine.called("drain")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        assert not client.task.done()
        engine.tell(FlowRefused(flow, "refused"), FlowClosed(flow, "refused", 0, 0, "the target refused"))
        await client.task
        assert engine.state == "stopped"
        writer.close()


async def test_a_second_signal_does_not_wait(start, engine, entries):
    async with start(BY_ADDRESS) as client:
        _, writer = await client.application("192.0.2.7", 443)
        await engine.called("open")
        client.lifetime.stop()
        await engine.called("drain")
        assert not named(entries, "ending at once")
        client.lifetime.stop()
        await client.task
        assert named(entries, "ending at once")
        assert engine.state == "stopped"
        writer.close()


async def test_an_idle_client_waits_for_events_and_for_no_timer(start, engine):
    async with start(BY_ADDRESS):
        loop = asyncio.get_running_loop()
        for _ in range(10):
            await asyncio.sleep(0)
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
        assert list(loop._ready) == []


async def test_without_dns_names_are_refused_and_nobody_is_asked(start, engine, entries, monkeypatch):
    def asked(*_, **__):
        raise AssertionError("the system was asked for a name")

    async with start(WITHOUT_DNS) as client:
        monkeypatch.setattr(socket, "getaddrinfo", asked)
        assert await client.reply_to("example.org") == (Reply.GENERAL_FAILURE, b"")
        assert await client.reply_to("example.com") == (Reply.GENERAL_FAILURE, b"")
    assert engine.opened == []
    (entry,) = named(entries, "names are refused")
    assert entry["log_level"] == "warning"
    assert "DNS =" in entry["reason"]


@pytest.fixture
async def dns_engine():
    made = DnsEngine(
        {
            ("known.example.", "A"): ["192.0.2.9"],
            **{(f"chain{link}.example.", "CNAME"): [f"chain{link + 1}.example."] for link in range(20)},
        }
    )
    yield made
    made.close()


async def test_names_are_asked_for_through_the_tunnel(start, dns_engine):
    async with start(BY_ADDRESS, dns_engine) as client:
        assert await client.reply_to("unknown.example") == (Reply.HOST_UNREACHABLE, b"")
        _, writer = await client.application("known.example", 80)
        destinations, *_ = await dns_engine.called("open")
        writer.close()
    assert destinations == [("192.0.2.9", 80)]
    assert dns_engine.opened == [("udp", ("10.8.0.1", 53))] * 2


async def test_what_was_looked_up_is_dialled_and_not_looked_up_again(start, dns_engine, entries):
    async with start(BY_ADDRESS, dns_engine) as client:
        for rebound in ("192.0.2.9", "10.0.0.1"):
            dns_engine.zone["known.example.", "A"] = [rebound]
            _, writer = await client.application("known.example", 80)
            destinations, *_ = await dns_engine.called("open")
            assert destinations == [("192.0.2.9", 80)]
            writer.close()
    assert len(dns_engine.opened) == 1
    (entry,) = named(entries, "counters")
    assert (entry["dns_questions_asked"], entry["dns_questions_from_cache"]) == (1, 1)


async def test_that_ipv6_leads_nowhere_is_learnt_from_connections_and_said(start, dns_engine, entries):
    both = BY_ADDRESS.replace("10.8.0.2/32", "10.8.0.2/32, fd00::2/128")
    async with start(both, dns_engine) as client:
        for site in range(1, 5):
            six = f"2001:db8:{site}::1"
            dns_engine.zone |= {(f"n{site}.example.", "AAAA"): [six], (f"n{site}.example.", "A"): ["192.0.2.9"]}
            _, writer = await client.application(f"n{site}.example", 80)
            destinations, *_, flow = await dns_engine.called("open")
            known = len(named(entries, "IPv6 leads nowhere behind the tunnel"))
            assert [host for host, _ in destinations] == (["192.0.2.9"] if known else [six, "192.0.2.9"])
            dns_engine.tell(FlowConnected(flow, ("192.0.2.9", 80)), FlowClosed(flow, "orderly", 0, 0, ""))
            writer.close()
            while len(named(entries, "connection closed")) < site:  # noqa: ASYNC110 - the log has no event
                await asyncio.sleep(0)
    assert known == 1


async def test_a_name_whose_answer_is_unusable_is_refused(start, dns_engine):
    async with start(BY_ADDRESS, dns_engine) as client:
        assert await client.reply_to("chain0.example") == (Reply.GENERAL_FAILURE, b"")
        client.lifetime.stop()
        await client.task  # and nothing is waited for


async def test_applications_past_the_resolvers_bound_are_refused_and_counted(start, dns_engine, entries, monkeypatch):
    monkeypatch.setattr(resolver, "MAX_WAITING", 0)
    async with start(BY_ADDRESS, dns_engine) as client:
        assert await client.reply_to("known.example") == (Reply.GENERAL_FAILURE, b"")
    (entry,) = named(entries, "counters")
    assert entry["lookups_turned_away"] == 1


async def test_a_defect_of_the_resolver_costs_one_application_its_connection_and_is_logged(
    start, engine, entries, monkeypatch
):
    async def fail(_, name):
        raise LookupError(name)

    monkeypatch.setattr(Resolver, "resolve", fail)
    async with start(BY_ADDRESS) as client:
        assert await client.reply_to("known.example") == (Reply.GENERAL_FAILURE, b"")
        client.lifetime.stop()
        await client.task
    (entry,) = named(entries, "a name could not be looked up")
    assert entry["log_level"] == "error"
    assert entry["exc_info"]


@pytest.mark.parametrize("refusal", [OSError(105, "too many flows"), RuntimeError("the engine does not run")])
async def test_an_application_that_the_engine_does_not_take_is_told(start, engine, refusal):
    async with start(BY_ADDRESS) as client:
        engine.refusal = refusal
        assert await client.reply_to("192.0.2.7") == (Reply.GENERAL_FAILURE, b"")
        client.lifetime.stop()
        await client.task  # and nothing is waited for


async def test_an_engine_that_fails_ends_the_session_with_its_error(start, engine):
    async with start(BY_ADDRESS) as client:
        engine.tell(EngineFailed("index out of bounds"))
        with pytest.raises(TunnelError, match="index out of bounds"):
            await client.task
    assert engine.state == "stopped"


async def test_an_engine_that_fails_while_it_drains_does_too(start, engine):
    async with start(BY_ADDRESS) as client:
        _, writer = await client.application("192.0.2.7", 443)
        await engine.called("open")
        client.lifetime.stop()
        await engine.called("drain")
        engine.tell(EngineFailed("index out of bounds"))
        with pytest.raises(TunnelError, match="index out of bounds"):
            await client.task
        writer.close()


async def test_an_engine_that_cannot_start_is_told_in_its_own_words(start, engine):
    engine.refusal = PermissionError(1, "FwMark 0x1 cannot be set: Operation not permitted")
    async with start(BY_ADDRESS) as client:
        with pytest.raises(TunnelError, match=r"^FwMark 0x1 cannot be set: Operation not permitted$"):
            await client.task
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection(*client.session._listeners["SOCKS5"].address)


async def test_a_port_in_use_is_told_before_the_engine_starts(start, engine):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with start(BY_ADDRESS.replace("127.0.0.1:0", f"127.0.0.1:{port}")) as client:
            with pytest.raises(ListenError, match=f"TCP port {port} on 127.0.0.1 is in use"):
                await client.task
    assert engine.state == "built"


async def test_the_endpoints_name_is_looked_up_again_when_a_handshake_fails(start, engine, monkeypatch):
    addresses = iter(["192.0.2.1", "192.0.2.2"])

    async def system_addresses(name):
        assert name == "vpn.example.org"
        return [next(addresses)]

    monkeypatch.setattr("awgproxy.session.endpoints.system_addresses", system_addresses)
    async with start(CLIENT + "[Socks5]\nBindAddress = 127.0.0.1:0\n"):
        ((first,),) = await engine.called("set_peers")
        assert (first.public_key, first.endpoint) == (PEER_KEY, ("192.0.2.1", 51820))
        engine.tell(HandshakeFailed(PEER_KEY, "no answer", "is the endpoint right?"))
        ((second,),) = await engine.called("set_peers")
        assert second.endpoint == ("192.0.2.2", 51820)


async def test_when_the_network_changes_a_handshake_is_begun(start, engine, entries):
    async with start(BY_ADDRESS) as client:
        client.session._tunnel._network._changed()
        await engine.called("handshake")
        engine.refusal = RuntimeError("the engine has stopped")
        client.session._tunnel._network._changed()
        engine.refusal = None
    assert len(named(entries, "the network changed")) == 2
    assert named(entries, "no handshake can be begun")


async def test_another_endpoint_that_answers_ends_what_was_learnt_behind_the_last_one(start, engine):
    async with start(BY_ADDRESS.replace("192.0.2.1:51820", "192.0.2.1:51820, 192.0.2.2:443")) as client:
        path = client.session._tunnel.resolver.ipv6_path
        for port, at in ((51820, "192.0.2.1"), (443, "192.0.2.2")):
            path.leads_nowhere = True
            engine.peers_at[PEER_KEY] = (at, port)
            client.session._tunnel._endpoints.handlers[HandshakeCompleted](
                HandshakeCompleted(PEER_KEY, "session", "initiator", False)
            )
            assert path.leads_nowhere == (port == 51820)


async def test_counters_are_logged_at_the_end(start, engine, entries):
    async with start(BY_ADDRESS) as client:
        client.lifetime.stop()
        await client.task
    (entry,) = named(entries, "counters")
    assert entry == {"event": "counters", "log_level": "debug", "tunnel_replayed": 3}
