"""A client's HTTP proxy on an engine in memory: users and ports of its own, and what becomes of a plain request."""

import asyncio

import pytest

from awgproxy._native import FlowClosed, FlowConnected
from awgproxy.config.parse import parse
from awgproxy.proxy.http.forwarding import OUTCOMES
from awgproxy.session.client import ClientSession
from tests.config.texts import CLIENT
from tests.session.running import named, running

BASE = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n"
WITH_HTTP = BASE + "[Http]\nBindAddress = 127.0.0.1:0\nUser = alice:sesame\n"
GET = b"GET http://192.0.2.7/ HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture
def start(engine):
    def start(text):
        return running(lambda lifetime: ClientSession(parse(text, "x.conf"), engine, lifetime))

    return start


def address(entries, protocol):
    (ready,) = named(entries, f"{protocol} is ready")
    host, _, port = ready["address"].rpartition(":")
    return host, int(port)


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [("orderly", b"0\r\n\r\n"), ("reset", None), ("expired", None)],
)
async def test_a_plain_request_and_the_truth_about_its_end(start, engine, entries, outcome, ending):
    async with start(BASE):
        reader, writer = await asyncio.open_connection(*address(entries, "SOCKS5"))
        writer.write(GET)
        destinations, early, replies, flow = await engine.called("open")
        assert (destinations, early, replies) == ([("192.0.2.7", 80)], b"", OUTCOMES.replies)
        (far,) = engine.far_ends
        far.setblocking(False)
        far.send(OUTCOMES.succeeded)
        engine.tell(FlowConnected(flow, ("192.0.2.7", 80)))
        assert (await asyncio.get_running_loop().sock_recv(far, 4096)).startswith(b"GET / HTTP/1.1\r\n")
        far.send(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        await reader.readuntil(b"to the end")
        far.close()
        engine.tell(FlowClosed(flow, outcome, 0, 0, "."))
        if ending is None:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        else:
            assert (await reader.readuntil(ending)) == b"\r\n" + ending
        writer.close()


async def test_a_failure_of_the_engine_is_an_answer(start, engine, entries):
    async with start(BASE):
        reader, writer = await asyncio.open_connection(*address(entries, "SOCKS5"))
        engine.refusal = OSError(105, "too many flows")
        writer.write(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 502 ")
        writer.close()


async def test_a_port_of_its_own_has_users_of_its_own(start, engine, entries):
    async with start(WITH_HTTP) as (lifetime, task):
        for protocol, status in (("HTTP", b"HTTP/1.1 407 "), ("SOCKS5", None)):
            reader, writer = await asyncio.open_connection(*address(entries, protocol))
            writer.write(GET)
            if status is None:
                await engine.called("open")
            else:
                assert (await reader.read()).startswith(status)
            writer.close()
        for far in engine.far_ends:
            far.close()
        engine.tell(FlowClosed(1, "hung-up", 0, 0, "."))
        lifetime.stop()
        lifetime.stop()
        await task
    (counted,) = named(entries, "counters")
    assert counted["applications"] == 2
