"""What a client gives to its carrier: names while the server can look them up, addresses in any case."""

import asyncio

import pytest

from awgproxy._native import (
    AddressesWanted,
    CarrierDown,
    CarrierUp,
    EgressPolicy,
    FlowClosed,
    FlowConnected,
    FlowRefused,
)
from awgproxy.config import parse
from awgproxy.errors import ConnectionRefused, NameLookupFailed, NameNotFound
from awgproxy.proxy.destination import Destination
from awgproxy.session import settings
from awgproxy.session.open_connections import OpenConnections
from awgproxy.session.outbound import Outbound
from awgproxy.session.settings import client_settings, server_settings
from awgproxy.session.state import TunnelState
from tests.config.texts import CLIENT, PEER_KEY, SERVER
from tests.session.asking import ANSWERS, Asking
from tests.session.running import named

AUTO = "CarrierAddress = 10.8.0.1:51443\n"
QUIC = AUTO + "[Tunnel]\nCarrier = quic\n"


def tell(made, *events):
    for event in events:
        made.carriers.handlers[type(event)](event)


def tell_of(made, event):
    made.connector.handlers[type(event)](event)


UP, DOWN = CarrierUp(PEER_KEY), CarrierDown(PEER_KEY, "nothing listens")


async def test_names_are_left_to_the_server_while_there_is_a_carrier(engine):
    made = Asking(engine, AUTO, ["192.0.2.1"], ["192.0.2.2"])
    for event, target in ((None, "192.0.2.1"), (UP, "name.example"), (DOWN, "192.0.2.2"), (UP, "name.example")):
        if event is not None:
            tell(made, event)
        assert await made.ask("name.example", early=b"early") is None
        assert (await engine.called("open"))[:3] == ([(target, 443)], b"early", ANSWERS.replies)


async def test_an_address_is_the_engines_to_choose_a_carrier_for(engine):
    made = Asking(engine, AUTO)
    for event in (UP, DOWN):
        await made.ask("192.0.2.7")
        assert (await engine.called("open"))[0] == [("192.0.2.7", 443)]
        tell(made, event)


async def test_without_a_carrier_nothing_is_asked_of_it(engine):
    made = Asking(engine, AUTO + "[Tunnel]\nCarrier = ip\n", ["192.0.2.1"])
    tell(made, UP)
    await made.ask("192.0.2.7")
    await made.ask("name.example")
    assert (await engine.called("open"))[0] == [("192.0.2.7", 443)]
    assert (await engine.called("open"))[0] == [("192.0.2.1", 443)]


async def test_quic_alone_waits_for_its_carrier(engine):
    made = Asking(engine, QUIC)
    await made.ask("name.example")
    assert (await engine.called("open"))[0] == [("name.example", 443)]


async def test_a_server_of_ones_own_choice_is_asked_for_names(engine):
    made = Asking(engine, QUIC.replace("10.8.0.1", "10.8.0.9"), ["192.0.2.1", "192.0.2.2"])  # its DNS is 10.8.0.1
    await made.ask("name.example")
    assert (await engine.called("open"))[0] == [("192.0.2.1", 443), ("192.0.2.2", 443)]


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        (["2001:db8::1", "192.0.2.1"], ("name_found", "name.example", ["2001:db8::1", "192.0.2.1"])),
        (NameNotFound("there is no such name"), ("reject", "host-unreachable")),
        (NameLookupFailed("no DNS server answered"), ("reject", "failed")),
        (ValueError("a defect"), ("reject", "failed")),
        (["192.0.2.25"], ("reject", "prohibited")),
    ],
)
async def test_a_name_that_comes_back_is_looked_up_here(engine, answer, answered):
    made = Asking(engine, AUTO + "[Client]\nDenyPorts = 25\n", answer)
    tell(made, UP)
    port = 25 if answered[-1] == "prohibited" else 443
    assert await made.ask("name.example") is None
    *_, flow = await engine.called("open")
    call, *rest = answered
    await made.hear(AddressesWanted(flow, ("name.example", port)))
    assert await engine.called(call) == (flow, *rest)


async def test_what_comes_of_addresses_that_were_looked_up_late_tells_of_ipv6(engine):
    answers = [[f"2001:db8:{site}::1", "192.0.2.9"] for site in range(3)]
    made = Asking(engine, AUTO, *answers)
    tell(made, UP)
    for _ in answers:
        await made.ask("name.example")
        *_, flow = await engine.called("open")
        await made.hear(AddressesWanted(flow, ("name.example", 443)))
        await made.hear(FlowConnected(flow, ("192.0.2.9", 443)))
    assert made.resolver.ipv6_path.leads_nowhere


async def test_a_name_is_looked_up_no_more_when_its_connection_has_ended(engine):
    made = Asking(engine, AUTO)
    tell(made, UP)
    await made.ask("name.example")
    *_, flow = await engine.called("open")
    asked, answered = asyncio.Event(), asyncio.Event()

    async def resolve(_):
        asked.set()
        await answered.wait()
        return ["2001:db8::1", "192.0.2.1"]

    made.resolver.resolve = resolve
    tell_of(made, AddressesWanted(flow, ("name.example", 443)))
    await asked.wait()
    (looking_up,) = made.connector._looking_up
    tell_of(made, FlowClosed(flow, "hung-up", 0, 0, ""))
    answered.set()
    await asyncio.wait([looking_up])
    assert looking_up.cancelled()
    assert engine.calls_waiting() == 0
    assert made.resolver.ipv6_path._racing == {}


async def test_an_engine_that_has_ended_is_told_of_no_addresses(engine):
    made = Asking(engine, AUTO, ["192.0.2.1"], NameNotFound("there is no such name"))
    engine.refusal = RuntimeError("the engine ends")
    for _ in range(2):
        await made.hear(AddressesWanted(1, ("name.example", 443)))
    assert engine.calls_waiting() == 0


@pytest.mark.parametrize("name", ["a b.example", "n" * 254, "\t", "ÿ"])
def test_what_no_request_has_room_for_is_looked_up_here(name):
    made = Asking(None, QUIC)
    assert made.carriers.takes("n" * 253)
    assert not made.carriers.takes(name)


async def test_a_name_that_was_connected_to_tells_nothing_of_ipv6(engine, entries):
    made = Asking(engine, QUIC)
    for name in ("name.example", "a:b"):
        await made.ask(name)
        *_, flow = await engine.called("open")
        made.connector.handlers[FlowConnected](FlowConnected(flow, (name, 443)))
        made.connector.handlers[FlowClosed](FlowClosed(flow, "orderly", 0, 0, ""))
    assert [entry["address"] for entry in named(entries, "connection open")] == ["name.example", "a:b"]


async def test_addresses_that_were_looked_up_here_tell_of_ipv6_on_a_carrier_too(engine, entries):
    answers = [[f"2001:db8:{site}::1", "192.0.2.9"] for site in range(3)]
    made = Asking(engine, AUTO, *answers)
    for _ in answers:
        await made.ask("name.example")
        *_, flow = await engine.called("open")
        made.connector.handlers[FlowConnected](FlowConnected(flow, ("192.0.2.9", 443)))
    assert made.resolver.ipv6_path.leads_nowhere


async def test_a_program_of_ones_own_goes_the_same_way(engine):
    made = Asking(engine, QUIC)
    outbound = Outbound(engine, made.connector, TunnelState(), OpenConnections())
    task = asyncio.create_task(outbound.open_stream(Destination("name.example", 443, is_name=True)))
    destinations, flow = await engine.called("open_stream")
    assert destinations == [("name.example", 443)]
    outbound.handlers[FlowConnected](FlowConnected(flow, ("name.example", 443)))
    made_flow = await task
    assert made_flow.address == ("name.example", 443)
    engine.far_ends[0].sendall(b"from the tunnel")
    made_flow.socket.setblocking(True)
    assert made_flow.socket.recv(100) == b"from the tunnel"
    made_flow.socket.close()


@pytest.mark.parametrize("reason", ["host-unreachable", "failed", "refused"])
async def test_a_program_is_told_that_a_name_was_at_fault(engine, reason):
    made = Asking(engine, QUIC)
    made.resolver.resolve = no_such_name
    outbound = Outbound(engine, made.connector, TunnelState(), OpenConnections())
    task = asyncio.create_task(outbound.open_stream(Destination("name.example", 443, is_name=True)))
    *_, flow = await engine.called("open_stream")
    outbound.handlers[FlowRefused](FlowRefused(flow, reason))
    with pytest.raises(ConnectionRefused if reason == "refused" else NameNotFound):
        await task


async def no_such_name(name):
    raise NameNotFound(f"there is no such name: {name}")


async def test_an_engine_that_takes_nothing_costs_no_socket(engine):
    made = Asking(engine, QUIC)
    engine.refusal = RuntimeError("the engine ends")
    assert await made.ask("name.example") == b"failed"


@pytest.fixture
def told(monkeypatch):
    """What the engine's settings and its peers' are made of."""
    made = {}
    for name in ("EngineSettings", "PeerSettings"):
        monkeypatch.setattr(settings, name, lambda *_, name=name, **given: made.setdefault(name, given))
    return made


@pytest.mark.parametrize(
    ("rest", "carrier", "address"),
    [
        ("", "ip", None),
        (AUTO, "auto", ("10.8.0.1", 51443)),
        (QUIC, "quic", ("10.8.0.1", 51443)),
        (AUTO + "[Tunnel]\nCarrier = ip", "ip", None),
    ],
)
def test_what_a_clients_engine_is_told(told, rest, carrier, address):
    client_settings(parse(CLIENT.replace("vpn.example.org", "192.0.2.1") + rest, "x"))
    assert told["EngineSettings"]["carrier"] == carrier
    assert told["EngineSettings"]["carrier_port"] is None
    assert told["PeerSettings"]["carrier_address"] == address


@pytest.mark.parametrize(("given", "port"), [("", 51443), ("CarrierPort = 9", 9), ("CarrierPort = none", None)])
def test_what_a_servers_engine_is_told(told, given, port):
    config = parse(SERVER.replace("[Server]", f"[Server]\n{given}") + AUTO, "x")
    server_settings(config, EgressPolicy([]))
    assert told["EngineSettings"]["carrier_port"] == port
    assert told["EngineSettings"]["carrier"] == "ip"
    assert told["PeerSettings"]["carrier_address"] is None
