"""Targets by name at the server: looked up by its own DNS servers, judged, dialled; what comes of each is told."""

import asyncio
import socket

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import structlog

from awgproxy._native import EgressPolicy
from awgproxy.egress import named, resolver
from awgproxy.egress.dialer import Dialer
from awgproxy.egress.direct import DirectSockets
from awgproxy.egress.dns import exchange
from awgproxy.egress.named import NamedDialer
from awgproxy.egress.source import SourceAddresses
from tests.memory import MemoryEngine

PEER = "peer"
OPEN = EgressPolicy([])


@pytest.fixture
async def engine():
    made = MemoryEngine()
    yield made
    made.close()


class Dns(asyncio.DatagramProtocol):
    """A DNS server on loopback with a zone of (name, type) → records; those in `silent` get no answer."""

    def __init__(self, zone):
        self.zone, self.silent, self.asked = zone, set(), []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        message = dns.message.from_wire(data)
        question = message.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return
        answer = dns.message.make_response(message)
        if (name, kind) in self.zone:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *self.zone[name, kind]))
        elif not any(name == known for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def server(monkeypatch):
    """The server's upstream."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Dns({}), local_addr=("127.0.0.1", 0))
    monkeypatch.setattr(exchange, "DNS_PORT", transport.get_extra_info("sockname")[1])
    yield protocol
    transport.close()


@pytest.fixture
def target():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
async def dialer(engine, server):
    made = NamedDialer(Dialer(engine), lambda: ("127.0.0.1",), SourceAddresses())
    yield made
    made.close()


async def test_a_name_is_looked_up_and_its_address_attached(engine, server, dialer, target):
    server.zone["one.test", "A"] = ["127.0.0.1"]
    dialer.dial(7, PEER, ("one.test", target.getsockname()[1]), OPEN)
    assert await engine.called("attach") == (7,)
    assert engine.attached[7].getpeername() == target.getsockname()
    assert sorted(server.asked) == [("one.test", "A"), ("one.test", "AAAA")]


async def test_of_several_addresses_the_first_that_answers_is_attached(engine, server, dialer, target):
    port = target.getsockname()[1]
    server.zone |= {("two.test", "A"): ["127.0.0.1"], ("two.test", "AAAA"): ["100::1"]}
    dialer.dial(7, PEER, ("two.test", port), OPEN)
    assert await engine.called("attach") == (7,)
    assert engine.attached[7].getpeername() == target.getsockname()
    assert engine.attached[7].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@pytest.mark.parametrize(
    ("name", "addresses", "reason"),
    [
        ("unknown.test", None, "host-unreachable"),
        ("nothing.test", [], "host-unreachable"),
        ("closed.test", ["127.0.0.1", "127.0.0.2"], "refused"),
        ("forbidden.test", ["10.1.2.3", "10.1.2.4"], "prohibited"),
        ("label..test", None, "failed"),
        ("a" * 64, None, "failed"),
        ("spaced name", None, "host-unreachable"),
    ],
)
async def test_what_comes_of_it_is_told_truthfully(engine, server, dialer, name, addresses, reason):
    if addresses is not None:
        server.zone[name, "A" if addresses else "TXT"] = addresses
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        policy = EgressPolicy([(False, "10.0.0.0/8", 0, 65535, "private")])
        dialer.dial(3, PEER, (name, nobody.getsockname()[1]), policy)
        assert await engine.called("reject") == (3, reason)
    assert engine.attached == {}
    assert dialer.prohibited == (reason == "prohibited")


async def test_of_a_names_addresses_only_those_that_are_open_are_dialled(engine, server, dialer, target):
    server.zone["mixed.test", "A"] = ["127.0.0.2", "127.0.0.1"]
    policy = EgressPolicy([(False, "127.0.0.2/32", 0, 65535, "loopback")])
    dialer.dial(3, PEER, ("mixed.test", target.getsockname()[1]), policy)
    assert await engine.called("attach") == (3,)
    assert engine.attached[3].getpeername()[0] == "127.0.0.1"


async def test_a_slow_name_keeps_no_other_waiting_and_ends_with_its_flow(engine, server, dialer, target):
    server.silent.add("slow.test")
    server.zone["quick.test", "A"] = ["127.0.0.1"]
    dialer.dial(1, PEER, ("slow.test", 80), OPEN)
    dialer.dial(2, PEER, ("quick.test", target.getsockname()[1]), OPEN)
    assert await engine.called("attach") == (2,)
    task = dialer._tasks[1]
    dialer.flow_closed(1)
    await asyncio.wait([task])
    assert task.cancelled()
    assert engine.rejected == {}
    assert dialer._tasks == {}


async def test_a_flow_that_ends_before_anything_began_leaves_nothing(dialer):
    dialer.dial(1, PEER, ("any.test", 80), OPEN)
    task = dialer._tasks[1]
    dialer.flow_closed(1)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert dialer._looking_up == {}
    assert dialer._tasks == {}


async def test_silence_of_the_dns_server_is_told_in_time(engine, server, dialer, monkeypatch):
    monkeypatch.setattr(named, "PATIENCE_SECONDS", 0.05)
    server.silent.add("slow.test")
    dialer.dial(1, PEER, ("slow.test", 80), OPEN)
    assert await engine.called("reject") == (1, "failed")


async def turned_away(engine, dialer, flow, peer):
    """Whether one more name of a peer, which there is not, is not even looked up."""
    before = dialer.counters["lookups_turned_away"]
    dialer.dial(flow, peer, ("unknown.test", 80), OPEN)
    number, reason = await engine.called("reject")
    assert (number, reason) == (
        flow,
        "failed" if dialer.counters["lookups_turned_away"] > before else "host-unreachable",
    )
    return reason == "failed"


async def test_one_peers_names_take_no_place_from_anothers_whatever_it_gives_up(engine, server, dialer, monkeypatch):
    monkeypatch.setattr(named, "MAX_LOOKUPS", 6)
    server.silent |= {f"slow{number}.test" for number in range(6)}
    tasks = []
    for flow in (1, 2, 3):
        dialer.dial(flow, PEER, (f"slow{flow}.test", 80), OPEN)
        tasks.append(dialer._tasks[flow])
    assert await turned_away(engine, dialer, 4, PEER)
    for flow in (1, 2, 3):
        dialer.flow_closed(flow)
    await asyncio.wait(tasks)
    assert await turned_away(engine, dialer, 5, PEER), "what it has begun goes on"
    assert not await turned_away(engine, dialer, 6, "other")
    for flow in (4, 5):
        dialer.dial(flow, "other", (f"slow{flow}.test", 80), OPEN)
    assert await turned_away(engine, dialer, 7, "other")
    assert not await turned_away(engine, dialer, 8, "third")


async def test_what_has_ended_leaves_room(engine, server, dialer, monkeypatch):
    monkeypatch.setattr(named, "MAX_LOOKUPS", 2)
    for flow in range(5):
        assert not await turned_away(engine, dialer, flow, PEER)
    assert dialer._looking_up == {}


async def test_without_upstream_names_are_refused_and_that_is_said_once(engine, monkeypatch):
    entries = structlog.testing.LogCapture()
    monkeypatch.setattr(named, "log", structlog.wrap_logger(None, processors=[entries]))
    dialer = NamedDialer(Dialer(engine), tuple, SourceAddresses())
    for flow in (1, 2):
        dialer.dial(flow, PEER, ("any.test", 80), OPEN)
        assert await engine.called("reject") == (flow, "failed")
    assert [entry["event"] for entry in entries.entries if entry["log_level"] == "warning"] == ["names are refused"]


async def test_other_servers_are_asked_when_the_system_names_them(engine, server, monkeypatch):
    monkeypatch.setattr(resolver, "TRY_SECONDS", (0.05, 5.0))
    upstream = ["127.0.0.9"]
    dialer = NamedDialer(Dialer(engine), lambda: upstream, SourceAddresses())
    dialer.dial(1, PEER, ("unknown.test", 80), OPEN)
    while not dialer._resolver._under_way:  # noqa: ASYNC110 - it is being looked up
        await asyncio.sleep(0)
    upstream[:] = ["127.0.0.1"]
    dialer.dial(2, PEER, ("nobody.test", 80), OPEN)
    for _ in range(2):
        assert (await engine.called("reject"))[1] == "host-unreachable"
    assert dialer.counters["dns_questions_asked"] == 4, "counted since the start"
    upstream[:] = ["127.0.0.1", "127.0.0.9"]
    dialer.dial(3, PEER, ("unknown.test", 80), OPEN)
    assert await engine.called("reject") == (3, "host-unreachable")
    assert dialer.counters["dns_questions_asked"] == 6, "what others said holds no more"


async def test_a_defect_costs_one_flow_its_connection(engine, server, dialer, monkeypatch):
    def fail(*_):
        raise LookupError("a defect")

    monkeypatch.setattr(named, "allowed_of", fail)
    server.zone["one.test", "A"] = ["127.0.0.1"]
    dialer.dial(1, PEER, ("one.test", 80), OPEN)
    assert await engine.called("reject") == (1, "failed")


async def test_a_socket_of_ones_own_is_connected_and_nothing_else(target):
    sockets = DirectSockets(SourceAddresses())
    _, descriptor = sockets.open_stream([target.getsockname()])
    sockets.close_flow(0)
    with socket.socket(fileno=descriptor) as made:
        accepted, address = target.accept()
        accepted.close()
        assert made.getsockname() == address
        assert not made.getblocking() or made.gettimeout() is None
