"""The tunnel on an engine in memory: names, and what no real engine does when a test wants it."""

import asyncio

import pytest

import awgproxy
from awgproxy import errors
from awgproxy._native import (
    EngineFailed,
    FlowClosed,
    FlowConnected,
    FlowRefused,
    HandshakeCompleted,
    HandshakeFailed,
    SessionEnded,
)
from awgproxy.api import tunnel as tunnel_module
from awgproxy.config import parse
from tests.api.pair import until
from tests.config.texts import CLIENT, PEER_KEY
from tests.memory import DnsEngine

BY_ADDRESS = CLIENT.replace("vpn.example.org", "192.0.2.1")


@pytest.fixture
async def engine(monkeypatch):
    made = DnsEngine({("known.example.", "A"): ["192.0.2.9"]})
    monkeypatch.setattr(tunnel_module, "client_engine", lambda config: made)
    yield made
    made.close()


@pytest.fixture
async def tunnel(engine):
    async with awgproxy.Tunnel(parse(BY_ADDRESS, "x.conf")) as made:
        yield made


async def opening(engine, tunnel, **options):
    """A connection that waits for what the engine says: (its task, the flow)."""
    task = asyncio.create_task(tunnel.open_connection("192.0.2.7", 443, **options))
    before = engine.next_flow
    await until(lambda: engine.next_flow > before)
    return task, before


def up(engine):
    engine.tell(HandshakeCompleted(PEER_KEY, "s", "initiator", rekey=False))


async def test_names_are_asked_for_through_the_tunnel(engine, tunnel):
    assert await tunnel.resolve("known.example") == ["192.0.2.9"]
    assert await tunnel.resolve("192.0.2.7") == ["192.0.2.7"]
    with pytest.raises(errors.NameNotFound):
        await tunnel.open_connection("unknown.example", 443)
    assert {destination for _, destination in engine.opened} == {("10.8.0.1", 53)}
    async with await tunnel.open_datagram("known.example", 53) as datagrams:
        assert datagrams.remote_address == ("192.0.2.9", 53)
    with pytest.raises(ValueError, match="host name"):
        await tunnel.resolve("no name")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("refused", errors.ConnectionRefused),
        ("network-unreachable", errors.Unreachable),
        ("host-unreachable", errors.Unreachable),
        ("prohibited", errors.Prohibited),
        ("timed-out", errors.ConnectionTimedOut),
        ("failed", errors.ConnectionFailed),
    ],
)
async def test_each_refusal_has_its_error(engine, tunnel, reason, kind):
    up(engine)
    task, flow = await opening(engine, tunnel)
    engine.tell(FlowRefused(flow, reason), FlowClosed(flow, "refused", 0, 0, "the connection was refused"))
    with pytest.raises(kind, match=r"192\.0\.2\.7 port 443: ") as raised:
        await task
    assert type(raised.value) is kind


async def test_silence_of_a_tunnel_that_is_down_is_told_as_that(engine, tunnel):
    engine.tell(HandshakeFailed(PEER_KEY, "no answer", "look at the endpoint"))
    task, flow = await opening(engine, tunnel)
    engine.tell(FlowRefused(flow, "timed-out"), FlowClosed(flow, "refused", 0, 0, "the connection was refused"))
    with pytest.raises(errors.TunnelDown, match="the tunnel is down: no answer: look at the endpoint"):
        await task
    engine.silent.add("10.8.0.1")
    engine.refusal = None


async def test_a_name_that_nobody_answers_for_is_the_tunnels_fault_while_it_is_down(engine, tunnel):
    engine.hangs_up = True
    with pytest.raises(errors.TunnelDown):
        await tunnel.resolve("known.example")
    up(engine)
    await tunnel.wait_up()
    with pytest.raises(errors.NameLookupFailed) as raised:
        await tunnel.resolve("known.example")
    assert not isinstance(raised.value, errors.TunnelDown)


async def test_up_and_down(engine, tunnel):
    assert not tunnel.is_up
    with pytest.raises(errors.TunnelDown, match="not up after 0 s: no handshake was answered yet"):
        await tunnel.wait_up(0)
    waiting = asyncio.create_task(tunnel.wait_up())
    await asyncio.sleep(0)
    up(engine)
    await waiting
    assert tunnel.is_up
    engine.tell(SessionEnded(PEER_KEY))
    await until(lambda: not tunnel.is_up)


async def test_an_engine_that_failed_is_told_to_whoever_waits_and_whoever_comes(engine, tunnel):
    pending, _ = await opening(engine, tunnel)
    task, flow = await opening(engine, tunnel)
    engine.tell(FlowConnected(flow, ("192.0.2.7", 443)))
    reader, writer = await task
    waiting = [asyncio.create_task(one) for one in (reader.read(), tunnel.wait_up())]
    await asyncio.sleep(0)
    engine.tell(EngineFailed("out of order"))
    engine.far_ends[-1].close()  # as the engine's thread does
    for one in (*waiting, pending):
        with pytest.raises(errors.TunnelClosed, match="a defect of awgproxy"):
            await one
    with pytest.raises(errors.TunnelClosed, match="a defect of awgproxy"):
        await tunnel.open_connection("192.0.2.7", 443)
    writer.close()


async def test_an_end_waits_for_the_flows_own(engine, tunnel):
    for outcome, failed in (("orderly", False), ("timed-out", True)):
        task, flow = await opening(engine, tunnel)
        engine.tell(FlowConnected(flow, ("192.0.2.7", 443)))
        reader, writer = await task
        engine.far_ends[-1].sendall(b"all")
        engine.far_ends[-1].close()
        assert await reader.readexactly(3) == b"all"
        ending = asyncio.create_task(reader.read())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not ending.done()
        engine.tell(FlowClosed(flow, outcome, 0, 3, "the far end fell silent"))
        if failed:
            with pytest.raises(errors.ConnectionLost, match="fell silent"):
                await ending
        else:
            assert await ending == b""
        writer.close()


async def test_a_connection_that_nobody_waits_for_any_more_is_given_up(engine, tunnel):
    task, flow = await opening(engine, tunnel)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.closed == [flow]
    assert engine.far_ends[-1].recv(1) == b""


async def test_a_look_up_that_the_end_of_the_tunnel_cuts_short_is_not_a_cancellation(engine):
    engine.silent.add("10.8.0.1")
    async with awgproxy.Tunnel(parse(BY_ADDRESS, "x.conf")) as tunnel:
        task = asyncio.create_task(tunnel.open_connection("known.example", 443))
        await until(lambda: engine.opened)
    with pytest.raises(errors.TunnelClosed):
        await task


async def test_datagrams_end_with_their_flow(engine, tunnel):
    datagrams = await tunnel.open_datagram("192.0.2.7", 53)
    waiting = asyncio.create_task(datagrams.receive())
    await asyncio.sleep(0)
    engine.tell(FlowClosed(1, "expired", 0, 0, "it was idle for too long"))
    with pytest.raises(errors.ConnectionLost, match="idle for too long"):
        await waiting
    with pytest.raises(errors.ConnectionLost):
        await datagrams.send(b"x")
    datagrams.close()
    datagrams.close()


async def test_an_engine_that_takes_no_more_is_told_by_its_own_words(engine, tunnel, monkeypatch):
    for refusal, kind in (
        (OSError(105, "No buffer space"), errors.ConnectionFailed),
        (RuntimeError("it drains"), errors.TunnelClosed),
    ):

        def refuse(_, refusal=refusal):
            raise refusal

        monkeypatch.setattr(engine, "open_stream", refuse)
        with pytest.raises(kind, match=r"No buffer space|it drains"):
            await tunnel.open_connection("192.0.2.7", 443)


async def test_a_tunnel_can_be_opened_again(engine):
    tunnel = awgproxy.Tunnel(parse(BY_ADDRESS, "x.conf"))
    for _ in range(2):
        async with tunnel:
            assert engine.state == "started"
            with pytest.raises(RuntimeError, match="open already"):
                await tunnel.open()
            assert await tunnel.resolve("known.example") == ["192.0.2.9"]
        assert engine.state == "stopped"
    await tunnel.close()


def test_configurations_are_read_where_they_are_given(tmp_path):
    (tmp_path / "x.conf").write_text(BY_ADDRESS)
    awgproxy.Tunnel.from_file(tmp_path / "x.conf")
    with pytest.raises(errors.ConfigError, match="mine:1"):
        awgproxy.Tunnel.from_text("[Interfaces]", "mine")
    with pytest.raises(errors.ConfigError, match="cannot be read"):
        awgproxy.Tunnel.from_file(tmp_path / "none.conf")
