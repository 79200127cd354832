"""The resolver against DNS servers in memory, at the far end of the engine's flows."""

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from awgproxy.egress import resolver as resolver_module
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import NameLookupFailed, NameNotFound
from tests.memory import MemoryEngine


class DnsEngine(MemoryEngine):
    """Answers each question by `zone`: (name, type) → addresses; None stays silent."""

    def __init__(self, zone):
        super().__init__()
        self.zone = zone
        self.tasks = []
        self.truncate = False
        self.code = dns.rcode.NOERROR
        self.silent = set()
        self.forge = False

    def on_open(self, kind, destination, far):
        self.tasks.append(asyncio.get_running_loop().create_task(self.serve(kind, destination, far)))

    async def serve(self, kind, destination, far):
        loop = asyncio.get_running_loop()
        if destination[0] in self.silent:
            return
        data = await loop.sock_recv(far, 65535)
        question = dns.message.from_wire(data[2:] if kind == "tcp" else data)
        answer = dns.message.make_response(question)
        asked = question.question[0]
        if self.forge and kind == "udp":
            forged = dns.message.make_response(question)
            forged.id ^= 1
            await loop.sock_sendall(far, forged.to_wire())
            await loop.sock_sendall(far, b"garbage")
        answer.set_rcode(self.code)
        records = self.zone.get((asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)), [])
        if kind == "udp" and self.truncate:
            answer.flags |= dns.flags.TC
        elif records:
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", asked.rdtype, *records))
        wire = answer.to_wire()
        await loop.sock_sendall(far, len(wire).to_bytes(2, "big") + wire if kind == "tcp" else wire)


ZONE = {
    ("both.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("both.example.", "AAAA"): ["2001:db8::1"],
    ("four.example.", "A"): ["192.0.2.1"],
}


@pytest.fixture
async def engine():
    made = DnsEngine(ZONE)
    yield made
    for task in made.tasks:
        task.cancel()
    made.close()


async def test_both_families_in_turn(engine):
    addresses = await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example")
    assert addresses[0] == "2001:db8::1"
    assert sorted(addresses[1:]) == ["192.0.2.1", "192.0.2.2"]


async def test_no_aaaa_where_the_tunnel_has_no_ipv6(engine):
    addresses = await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("both.example")
    assert sorted(addresses) == ["192.0.2.1", "192.0.2.2"]
    assert len(engine.opened) == 1


async def test_one_family_is_enough(engine):
    assert await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("FOUR.example.") == ["192.0.2.1"]


async def test_a_name_without_addresses(engine):
    with pytest.raises(NameNotFound):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("none.example")


async def test_a_name_that_is_not_there(engine):
    engine.code = dns.rcode.NXDOMAIN
    with pytest.raises(NameNotFound, match="no such name"):
        await Resolver(engine, ["10.0.0.1", "10.0.0.2"], ipv6=True).resolve("none.example")
    assert {server for _, (server, _) in engine.opened} == {"10.0.0.1"}


async def test_a_failing_server_is_not_a_missing_name(engine):
    engine.code = dns.rcode.SERVFAIL
    with pytest.raises(NameLookupFailed, match="SERVFAIL") as caught:
        await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example")
    assert not isinstance(caught.value, NameNotFound)


async def test_a_truncated_answer_is_asked_for_over_tcp(engine):
    engine.truncate = True
    assert await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example") == ["192.0.2.1"]
    assert [kind for kind, _ in engine.opened] == ["udp", "tcp"]


async def test_the_next_server_is_asked_when_one_is_silent(engine, monkeypatch):
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (0.05,))
    engine.silent = {"10.0.0.1"}
    assert await Resolver(engine, ["10.0.0.1", "10.0.0.2"], ipv6=False).resolve("four.example") == ["192.0.2.1"]


async def test_nobody_answers(engine, monkeypatch):
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (0.02, 0.02))
    engine.silent = {"10.0.0.1"}
    with pytest.raises(NameLookupFailed, match="does not answer"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("four.example")
    assert len(engine.opened) == 4


async def test_answers_to_other_questions_are_passed_over(engine):
    engine.forge = True
    assert await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example") == ["192.0.2.1"]


async def test_one_look_up_serves_all_who_wait(engine):
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    answers = await asyncio.gather(*(resolver.resolve("four.example") for _ in range(10)))
    assert answers == [["192.0.2.1"]] * 10
    assert len(engine.opened) == 1


async def test_flows_are_ended(engine):
    await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example")
    assert sorted(engine.closed) == [1, 2]


async def test_without_servers_the_text_says_what_to_do(engine):
    with pytest.raises(NameLookupFailed, match="DNS ="):
        await Resolver(engine, [], ipv6=True).resolve("four.example")


@pytest.mark.parametrize(
    "failure", [RuntimeError("the engine is draining"), OSError(105, "too many flows"), OSError(24, "no socket pair")]
)
@pytest.mark.parametrize("opening", ["open_datagrams", "open_stream"])
async def test_a_tunnel_that_takes_no_flows_fails_the_look_up(engine, monkeypatch, opening, failure):
    def refuse(_):
        raise failure

    engine.truncate = True
    monkeypatch.setattr(engine, opening, refuse)
    with pytest.raises(NameLookupFailed, match=r"cannot be asked: .*(draining|too many flows|no socket pair)"):
        await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example")


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..b", "x." * 200])
async def test_malformed_names(engine, name):
    with pytest.raises(NameLookupFailed, match="malformed"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve(name)
    assert not engine.opened
