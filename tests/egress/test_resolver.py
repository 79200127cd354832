"""The resolver against DNS servers in memory, at the far end of the engine's flows."""

import asyncio
import gc
import sys

import dns.message
import dns.rcode
import pytest

from awgproxy.egress import resolver as resolver_module
from awgproxy.egress.dns import lookup
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
    monkeypatch.setattr(lookup, "MISSING_DELAY_SECONDS", 0.01)
    engine.silent = {silent}
    with pytest.raises(NameNotFound, match="no such name"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("missing.example")


@FAMILIES
async def test_addresses_win_over_an_earlier_answer_that_there_is_no_such_name(
    engine, patient, monkeypatch, silent, known
):
    monkeypatch.setattr(lookup, "MISSING_DELAY_SECONDS", FOR_EVER)
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
        monkeypatch.setattr(lookup, delay, FOR_EVER)
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


async def test_the_next_server_is_asked_when_one_is_silent_and_comes_first_from_then_on(engine, monkeypatch):
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (0.02, FOR_EVER))
    engine.silent = {"10.0.0.1"}
    resolver = Resolver(engine, ["10.0.0.1", "10.0.0.2"], ipv6=False)
    assert await resolver.resolve("four.example") == ["192.0.2.1"]
    assert await resolver.resolve("chain20.example") == ["192.0.2.20"]
    assert [server for _, (server, _) in engine.opened] == ["10.0.0.1", "10.0.0.2", "10.0.0.2"]


async def test_nobody_answers(engine, monkeypatch):
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (0.02, 0.02))
    engine.silent = {"10.0.0.1"}
    with pytest.raises(NameLookupFailed, match="does not answer"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve("four.example")
    assert sorted(kind for kind, _ in engine.opened) == ["tcp"] * 2 + ["udp"] * 4


async def test_where_datagrams_get_no_answer_tcp_is_tried_and_then_at_once(engine, monkeypatch):
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (0.02, FOR_EVER))
    engine.silent = {"udp"}
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    assert await resolver.resolve("four.example") == ["192.0.2.1"]
    monkeypatch.setattr(resolver_module, "TRY_SECONDS", (FOR_EVER,))
    assert await resolver.resolve("chain20.example") == ["192.0.2.20"]


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
    assert resolver.counters["lookups_turned_away"] == 1
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
@pytest.mark.parametrize("openings", [("open_datagrams", "open_stream"), ("open_stream",)])
async def test_a_tunnel_that_takes_no_flows_fails_the_look_up(engine, monkeypatch, openings, failure):
    def refuse(_):
        raise failure

    engine.truncate = True
    for opening in openings:
        monkeypatch.setattr(engine, opening, refuse)
    with pytest.raises(NameLookupFailed, match=r"cannot be asked: .*(draining|too many flows|no socket pair)"):
        await Resolver(engine, ["10.0.0.1"], ipv6=False).resolve("four.example")


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..b", "x." * 200])
async def test_malformed_names(engine, name):
    with pytest.raises(NameLookupFailed, match="malformed"):
        await Resolver(engine, ["10.0.0.1"], ipv6=True).resolve(name)
    assert not engine.opened


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def test_answers_hold_for_their_ttl(engine):
    clock = Clock()
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True, clock=clock)
    first = await resolver.resolve("both.example")
    clock.now += 59
    assert await resolver.resolve("Both.Example.") == first
    assert len(engine.opened) == 2
    clock.now += 1
    await resolver.resolve("both.example")
    assert len(engine.opened) == 4
    assert resolver.counters["dns_questions_from_cache"] == 2
    assert resolver.counters["dns_questions_asked"] == 4


async def test_that_there_is_no_such_name_holds_for_as_long_as_the_zone_says(engine):
    engine.negative_ttl = 30
    clock = Clock()
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False, clock=clock)
    for asked, later in ((1, 29), (1, 1), (2, 0)):
        with pytest.raises(NameNotFound):
            await resolver.resolve("missing.example")
        assert len(engine.opened) == asked
        clock.now += later


async def test_without_a_word_of_the_zone_it_does_not_hold(engine):
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    for asked in (1, 2):
        with pytest.raises(NameNotFound):
            await resolver.resolve("missing.example")
        assert len(engine.opened) == asked


async def test_a_server_that_fails_is_asked_again_at_once(engine):
    engine.codes = {"A": dns.rcode.SERVFAIL}
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    with pytest.raises(NameLookupFailed):
        await resolver.resolve("four.example")
    engine.codes = {}
    assert await resolver.resolve("four.example") == ["192.0.2.1"]


async def test_a_family_that_fails_is_not_asked_for_again_for_a_while(engine):
    clock = Clock()
    engine.codes = {"AAAA": dns.rcode.SERVFAIL}
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True, clock=clock)
    for later, asked in ((0, 2), (4, 2), (2, 3)):
        clock.now += later
        assert set(await resolver.resolve("both.example")) == {"192.0.2.1", "192.0.2.2"}
        assert len(engine.opened) == asked


async def test_what_comes_too_late_is_known_the_next_time(engine, patient):
    engine.held["AAAA"] = asyncio.Event()
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True)
    assert set(await resolver.resolve("both.example")) == {"192.0.2.1", "192.0.2.2"}
    engine.held["AAAA"].set()
    while len(engine.closed) < 2:  # noqa: ASYNC110 - the late answer has been read
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await resolver.resolve("both.example"))[0] == "2001:db8::1"
    assert len(engine.opened) == 2


async def test_what_others_did_not_answer_tells_nothing_of_the_servers_of_now(engine, patient):
    engine.codes = {"AAAA": dns.rcode.SERVFAIL}
    engine.held["AAAA"] = asyncio.Event()
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True)
    assert set(await resolver.resolve("both.example")) == {"192.0.2.1", "192.0.2.2"}
    resolver.ask(["10.0.0.2"])
    engine.held["AAAA"].set()
    while len(engine.closed) < 2:  # noqa: ASYNC110 - the late answer has been read
        await asyncio.sleep(0)
    while resolver._late:  # noqa: ASYNC110 - and taken
        await asyncio.sleep(0)
    engine.codes = {}
    assert (await resolver.resolve("both.example"))[0] == "2001:db8::1"


async def test_another_server_behind_the_tunnel_is_asked_anew(engine):
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    for asked in (1, 2):
        await resolver.resolve("four.example")
        assert len(engine.opened) == asked
        resolver.forget()


def lose(resolver):
    """Connections that stood over IPv4 although IPv6 was tried first, until that is enough."""
    for site in range(3):
        resolver.ipv6_path.opened(site, [f"2001:db8:{site}::1", "192.0.2.1"])
        resolver.ipv6_path.connected(site, "192.0.2.1")
    assert resolver.ipv6_path.leads_nowhere


async def test_where_ipv6_leads_nowhere_ipv4_comes_first_and_is_all_that_is_asked_for(engine):
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True)
    known = await resolver.resolve("both.example")
    assert known[0] == "2001:db8::1"
    lose(resolver)
    resolver._cache.clear()
    assert sorted(await resolver.resolve("both.example")) == ["192.0.2.1", "192.0.2.2"]
    assert len(engine.opened) == 3


async def test_a_name_with_nothing_but_ipv6_keeps_its_way(engine):
    engine.zone["six.example.", "AAAA"] = ["2001:db8::6"]
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=True)
    lose(resolver)
    assert await resolver.resolve("six.example") == ["2001:db8::6"]


async def test_a_failure_that_nobody_waits_for_any_more_is_no_defect(engine):
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    resolver = Resolver(engine, ["10.0.0.1"], ipv6=False)
    given_up = asyncio.ensure_future(resolver.resolve("missing.example"))
    await asyncio.sleep(0)
    (looking_up,) = resolver._under_way.values()
    given_up.cancel()
    await asyncio.wait({given_up, looking_up})
    assert not resolver._under_way
    del given_up, looking_up
    gc.collect()
    assert told == []
