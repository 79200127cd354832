"""UDP associations on an engine in memory: handed over, asked for names, and over."""

import asyncio

import pytest

from awgproxy._native import FlowClosed, NameWanted
from awgproxy.config.parse import parse
from awgproxy.session.client import ClientSession
from tests.config.texts import CLIENT
from tests.memory import DnsEngine
from tests.session.running import named, running

TEXT = (
    CLIENT.replace("vpn.example.org", "192.0.2.1").replace("/32", "/32, fd00::2/128", 1)
    + "[Socks5]\nBindAddress = 127.0.0.1:0\n"
)
ASSOCIATE = b"\x05\x01\x00\x05\x03\x00\x01" + bytes(6)


@pytest.fixture
async def engine():
    zone = {("known.example.", "A"): ["192.0.2.9"], ("known.example.", "AAAA"): ["2001:db8::9"]}
    made = DnsEngine(zone | {("six.example.", "AAAA"): ["2001:db8::6"]})
    yield made
    made.close()


@pytest.fixture
def start(engine):
    return running(lambda lifetime: ClientSession(parse(TEXT, "x.conf"), engine, lifetime))


async def ask(entries):
    (ready,) = named(entries, "SOCKS5 is ready")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(ready["address"].rpartition(":")[2]))
    writer.write(ASSOCIATE)
    return reader, writer


async def test_it_is_the_engines_from_its_answer_to_its_end(start, engine, entries):
    async with start as (lifetime, task):
        reader, writer = await ask(entries)
        client, port, flow = await engine.called("open_association")
        assert (client, port) == ("127.0.0.1", 0)
        assert (await reader.readexactly(12))[2:6] == b"\x05\x00\x00\x01"
        lifetime.stop()
        await engine.called("drain")
        assert not task.done()
        engine.tell(FlowClosed(flow, "orderly", 1, 2, "the application hung up"))
        await task
        writer.close()
    (closed,) = named(entries, "connection closed")
    assert (closed["sent"], closed["received"]) == (1, 2)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        # The engine takes the first: one of IPv4, since nothing would tell that IPv6 leads nowhere.
        ("known.example", ["192.0.2.9", "2001:db8::9"]),
        ("six.example", ["2001:db8::6"]),
        ("unknown.example", []),
    ],
)
async def test_names_are_looked_up_through_the_tunnel_and_always_answered(start, engine, entries, name, addresses):
    async with start:
        _, writer = await ask(entries)
        *_, flow = await engine.called("open_association")
        engine.tell(NameWanted(flow, name))
        assert await engine.called("name_found") == (flow, name, addresses)
        assert engine.opened[0] == ("udp", ("10.8.0.1", 53))
        engine.tell(FlowClosed(flow, "orderly", 0, 0, "."))
        writer.close()


@pytest.mark.parametrize("refusal", [OSError(105, "No buffer space available"), RuntimeError("the engine drains")])
async def test_one_that_the_engine_does_not_take_is_hung_up_on(start, engine, entries, refusal):
    async with start as (lifetime, task):
        engine.refusal = refusal
        reader, writer = await ask(entries)
        assert len(await reader.read()) == 12
        writer.close()
        lifetime.stop()
        await task  # and nothing is waited for
