"""The resolver against DNS servers in memory, at the far end of the engine's flows."""

import asyncio
import sys

import dns.message
import dns.rcode
import pytest

from awgproxy.egress import resolver as resolver_module
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import NameLookupFailed, NameNotFound
from tests.memory import DnsEngine

ZONE = {
    ("both.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("both.example.", "AAAA"): ["2001:db8::1"],
    ("four.example.", "A"): ["192.0.2.1"],
    ("none.example.", "TXT"): ["words"],
    ("alias.example.", "CNAME"): ["both.example."],
    **{(f"chain{link}.example.", "CNAME"): [f"chain{link + 1}.example."] for link in range(20)},
    ("chain20.example.", "A"): ["192.0.2.20"],
}
FOR_EVER = 3600.0
"""Longer than any test may take."""


@pytest.fixture
async def engine():
    made = DnsEngine(ZONE)
    yield made
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
    with pytest.raises(NameNotFound, match="no such name"):
        await Resolver(engine, ["10.0.0.1", "10.0.0.2"], ipv6=True).resolve("missing.example")
    assert {server for _, (server, _) in engine.opened} == {"10.0.0.1"}


@pytest.fixture
def patient(monkeypatch):
    """A server that does not answer is waited for until the test fails."""
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (FOR_EVER,))


FAMILIES = pytest.mark.parametrize(("silent", "known"), [("A", {"2001:db8::1"}), ("AAAA", {"192.0.2.1", "192.0.2.2"})])


@FAMILIES
async def test_a_name_that_is_not_there_is_told_by_the_first_answer(engine, patient, monkeypatch, silent, known):
    monkeypatch.setattr(resolver_module, "MISSING_DELAY_SECONDS", 0.01)
    engine.silent = {silent}
    with pytest.raises(NameNotFound, match="no such name"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("missing.example")


@FAMILIES
async def test_addresses_win_over_an_earlier_answer_that_there_is_no_such_name(
    engine, patient, monkeypatch, silent, known
):
    monkeypatch.setattr(resolver_module, "MISSING_DELAY_SECONDS", FOR_EVER)
    engine.codes = {silent: dns.rcode.NXDOMAIN}
    other = "AAAA" if silent == "A" else "A"
    engine.held[other] = asyncio.Event()
    look_up = asyncio.create_task(Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example"))
    while len(engine.closed) == 0:  # noqa: ASYNC110 - the first answer has been read
        await asyncio.sleep(0)
    done, _ = await asyncio.wait([look_up], timeout=0.05)
    assert not done, "it did not wait for the other family"
    engine.held[other].set()
    assert set(await look_up) == known


@FAMILIES
async def test_a_family_without_an_answer_does_not_keep_the_other_one(engine, patient, silent, known):
    engine.silent = {silent}
    assert set(await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example")) == known


@FAMILIES
async def test_a_family_that_is_a_little_late_counts(engine, patient, monkeypatch, silent, known):
    for delay in ("RESOLUTION_DELAY_SECONDS", "ATTEMPT_DELAY_SECONDS"):
        monkeypatch.setattr(resolver_module, delay, FOR_EVER)
    engine.held[silent] = asyncio.Event()
    look_up = asyncio.create_task(Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example"))
    while len(engine.closed) == 0:  # noqa: ASYNC110 - the first answer has been read
        await asyncio.sleep(0)
    engine.held[silent].set()
    assert len(await look_up) == 3


@FAMILIES
async def test_a_family_that_fails_does_not_hide_the_other_ones_addresses(engine, patient, silent, known):
    engine.codes = {silent: dns.rcode.SERVFAIL}
    assert set(await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("both.example")) == known


async def test_an_alias_is_followed(engine):
    addresses = await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("alias.example")
    assert sorted(addresses) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


async def test_too_long_a_chain_of_aliases_is_an_unusable_answer(engine):
    with pytest.raises(NameLookupFailed, match="unusable"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("chain0.example")


async def test_a_failing_server_is_not_a_missing_name(engine):
    engine.codes = {"A": dns.rcode.SERVFAIL}
    with pytest.raises(NameLookupFailed, match="SERVFAIL") as caught:
        await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example")
    assert not isinstance(caught.value, NameNotFound)


async def test_a_truncated_answer_is_asked_for_over_tcp(engine):
    engine.truncate = True
    assert await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example") == ["192.0.2.1"]
    assert [kind for kind, _ in engine.opened] == ["udp", "tcp"]


async def test_the_next_server_is_asked_when_one_is_silent(engine, patient, monkeypatch):
    ask = Resolver._ask_server

    def hurried(resolver, server, name, seconds):
        return ask(resolver, server, name, 0.01 if server in engine.silent else seconds)

    monkeypatch.setattr(Resolver, "_ask_server", hurried)
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


async def test_empty_datagrams_are_passed_over(engine):
    engine.first = [b""] * 5
    assert await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example") == ["192.0.2.1"]
    assert len(engine.opened) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the flow's end is told by its socket on Linux only")
async def test_a_flow_that_ends_is_not_waited_for(engine, patient):
    engine.hangs_up = True
    with pytest.raises(NameLookupFailed, match="unusable"):
        await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example")


async def test_datagrams_that_are_passed_over_do_not_keep_others_from_their_turn(engine, monkeypatch):
    turns, read_at = 0, []

    async def take_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    from_wire = dns.message.from_wire

    def counted(data):
        if data == b"garbage":
            read_at.append(turns)
        return from_wire(data)

    monkeypatch.setattr(dns.message, "from_wire", counted)
    engine.first = [b"garbage"] * 5
    other = asyncio.create_task(take_turns())
    assert await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example") == ["192.0.2.1"]
    other.cancel()
    assert len(set(read_at)) == 5


async def test_one_look_up_serves_all_who_wait(engine):
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    answers = await asyncio.gather(*(resolver.resolve("four.example") for _ in range(10)))
    assert answers == [["192.0.2.1"]] * 10
    assert len(engine.opened) == 1


@pytest.mark.parametrize(
    ("bound", "third"),
    [("MAX_WAITING", "both.example"), ("MAX_WAITING", "none.example"), ("MAX_LOOKUPS", "four.example")],
)
async def test_look_ups_past_a_bound_fail_and_are_counted(engine, patient, monkeypatch, bound, third):
    monkeypatch.setattr(resolver_module, bound, {"MAX_WAITING": 2, "MAX_LOOKUPS": 1}[bound])
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    engine.silent = {"A"}
    waiting = [asyncio.create_task(resolver.resolve("both.example")) for _ in range(2)]
    await asyncio.sleep(0)  # they have begun
    with pytest.raises(NameLookupFailed, match="too many names"):
        await resolver.resolve(third)
    assert resolver.turned_away == 1
    resolver.close()
    await asyncio.wait(waiting)
    engine.silent = set()
    assert await resolver.resolve("four.example") == ["192.0.2.1"]


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
