"""Monthly quotas: what is remembered over restarts, and when they are whole again."""

import asyncio
import json
import stat
from datetime import UTC, datetime

import pytest

from awgproxy._native import FlowClosed, FlowIncoming, QuotaSpent
from awgproxy.session import quota
from awgproxy.session.quota import MonthlyUsage
from awgproxy.session.state_file import StateFile
from tests.config.texts import OTHER_KEY, PEER_KEY
from tests.session.running import named

QUOTAS = {PEER_KEY: 1000, OTHER_KEY: 5000}
NOVEMBER = datetime(2026, 11, 22, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
PATIENCE = 20


class Relaying:
    """An engine that has relayed what a test says."""

    def __init__(self):
        self.relayed = {PEER_KEY: 0, OTHER_KEY: 0}
        self.flows = 0
        self.failure = None

    def snapshot(self):
        if self.failure is not None:
            raise self.failure
        return {"peers": {key: {"relayed_bytes": count, "flows": self.flows} for key, count in self.relayed.items()}}


class Clock:
    def __init__(self, now=NOVEMBER):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "server.conf.state.usage"


@pytest.fixture
def relaying():
    return Relaying()


@pytest.fixture(autouse=True)
def pace(monkeypatch):
    """Nothing is due by itself unless a test says so."""
    monkeypatch.setattr(quota, "COUNT_SECONDS", 3600.0)


def opened(path, now=NOVEMBER):
    return MonthlyUsage(path, QUOTAS, now if callable(now) else lambda: now)


def nothing():
    raise AssertionError("the quotas were renewed")


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it is of the disk
            await asyncio.sleep(0.005)


def begin(usage, peer=PEER_KEY):
    usage.handlers[FlowIncoming](FlowIncoming(1, "tcp", peer, ("10.8.0.2", 1), ("192.0.2.1", 80), False))


async def test_what_was_used_is_known_after_a_restart(path, relaying):
    usage = opened(path)
    assert (usage.rest(PEER_KEY), usage.rest(OTHER_KEY), usage.rest("another")) == (1000, 5000, None)
    with usage.counting(relaying, nothing):
        relaying.relayed = {PEER_KEY: 300, OTHER_KEY: 6000}
    again = opened(path)
    assert (again.rest(PEER_KEY), again.rest(OTHER_KEY)) == (700, 0)
    with again.counting(Relaying(), nothing):
        pass
    later = Relaying()
    again = opened(path)
    with again.counting(later, nothing):
        later.relayed[PEER_KEY] = 200
    assert opened(path).rest(PEER_KEY) == 500


async def test_it_is_on_disk_while_the_server_runs_so_that_a_crash_forgets_little(path, relaying, monkeypatch):
    monkeypatch.setattr(quota, "COUNT_SECONDS", 0.001)
    usage = opened(path)
    with usage.counting(relaying, nothing):
        begin(usage)
        relaying.relayed[PEER_KEY] = 300
        await until(lambda: path.exists() and opened(path).rest(PEER_KEY) == 700)
        relaying.relayed[PEER_KEY] = 400
        usage.handlers[FlowClosed](FlowClosed(1, "orderly", 1, 2, "done"))
        await until(lambda: opened(path).rest(PEER_KEY) == 600)


async def test_flows_that_stand_are_looked_at_again_and_idle_peers_are_not(path, relaying, monkeypatch):
    monkeypatch.setattr(quota, "COUNT_SECONDS", 0.001)
    usage = opened(path)
    looks = []
    snapshot = relaying.snapshot
    monkeypatch.setattr(relaying, "snapshot", lambda: (looks.append(1), snapshot())[1])
    with usage.counting(relaying, nothing):
        assert usage._looking is None
        relaying.flows = 1
        begin(usage)
        await until(lambda: len(looks) >= 5)
        relaying.flows = 0
        await until(lambda: usage._looking is None)
        begin(usage, "a peer without a quota")
        assert usage._looking is None


async def test_a_spent_quota_is_on_disk_at_once(path, relaying):
    usage = opened(path)
    with usage.counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 1001
        usage.handlers[QuotaSpent](QuotaSpent(PEER_KEY))
        await until(lambda: path.exists() and opened(path).rest(PEER_KEY) == 0)


async def test_a_new_month_makes_the_quotas_whole_in_a_server_that_runs(path, relaying, entries):
    clock, renewed = Clock(), []
    usage = opened(path, clock)
    with usage.counting(relaying, lambda: renewed.append(usage.rest(PEER_KEY))):
        relaying.relayed[PEER_KEY] = 900
        usage.look()
        assert renewed == []
        clock.now = DECEMBER
        relaying.relayed[PEER_KEY] = 950
        usage.look()
        assert renewed == [1000]
        relaying.relayed[PEER_KEY] = 960
        usage.look()
        assert renewed == [1000]
        assert usage.rest(PEER_KEY) == 990
    assert opened(path, DECEMBER).rest(PEER_KEY) == 990
    (entry,) = named(entries, "quotas are whole again")
    assert entry["month"] == "2026-12"


async def test_an_engine_that_takes_nothing_at_the_turn_is_told_again(path, relaying, entries, monkeypatch):
    monkeypatch.setattr(quota, "COUNT_SECONDS", 0.001)
    clock, renewed = Clock(), asyncio.Event()
    answers = iter([OSError(105, "too many commands wait"), RuntimeError("the engine drains")])

    def renew():
        failure = next(answers, None)
        if failure is not None:
            raise failure
        renewed.set()

    usage = opened(path, clock)
    with usage.counting(relaying, renew):
        clock.now = DECEMBER
        usage.look()
        async with asyncio.timeout(PATIENCE):
            await renewed.wait()
    assert len(named(entries, "the quotas cannot be renewed, for now")) == 2


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC), 2.0),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), 3600.0),
        (NOVEMBER, quota.LONGEST_WAIT_SECONDS),
    ],
)
async def test_the_turn_of_the_month_is_a_timer(path, relaying, now, seconds):
    usage = opened(path, now)
    before = asyncio.get_running_loop().time()
    with usage.counting(relaying, nothing):
        assert 0 <= usage._turning.when() - before - seconds < PATIENCE


async def test_the_timer_of_the_turn_renews(path, relaying, monkeypatch):
    monkeypatch.setattr(quota, "LONGEST_WAIT_SECONDS", 0.001)
    clock, renewed = Clock(), asyncio.Event()
    usage = opened(path, clock)
    with usage.counting(relaying, renewed.set):
        clock.now = DECEMBER
        async with asyncio.timeout(PATIENCE):
            await renewed.wait()


async def test_a_month_that_ended_while_the_server_was_down_is_over(path, relaying):
    with opened(path).counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 300
    assert opened(path, DECEMBER).rest(PEER_KEY) == 1000


async def test_a_clock_that_goes_back_gives_nothing_back(path, relaying, entries):
    clock = Clock(DECEMBER)
    usage = opened(path, clock)
    with usage.counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 300
        usage.look()
        clock.now = NOVEMBER
        usage.look()
        relaying.relayed[PEER_KEY] = 400
        usage.look()
        assert usage.rest(PEER_KEY) == 600
        clock.now = DECEMBER
        usage.look()
        assert usage.rest(PEER_KEY) == 600
    assert opened(path, datetime(1970, 1, 1, tzinfo=UTC)).rest(PEER_KEY) == 600
    (entry,) = named(entries, "the clock is behind the month that usage was counted in")
    assert str(path) in entry["hint"]


async def test_without_quotas_nothing_is_read_written_or_waited_for(path, relaying):
    path.write_text("somebody's diary")
    usage = MonthlyUsage(path, {}, lambda: NOVEMBER)
    with usage.counting(relaying, nothing):
        begin(usage)
        usage.handlers[FlowClosed](FlowClosed(1, "orderly", 1, 2, "done"))
        assert (usage._looking, usage._turning) == (None, None)
    assert path.read_text() == "somebody's diary"


async def test_the_file_is_its_owners_alone(path, relaying):
    with opened(path).counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 300
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"month": "2026-11", "used": {PEER_KEY: 300}}
    assert list(path.parent.iterdir()) == [path]


async def test_what_a_peer_used_that_has_left_is_remembered_for_the_month(path, relaying):
    with opened(path).counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 300
    with MonthlyUsage(path, {OTHER_KEY: 5000}, lambda: NOVEMBER).counting(relaying, nothing):
        relaying.relayed[OTHER_KEY] = 100
    assert opened(path).rest(PEER_KEY) == 700


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"month": ',
        b'{"month": 5, "used": {}}',
        b'{"month": "2026-13", "used": {}}',
        b'{"month": "2026-11", "used": {"x": -1}}',
        b'{"month": "2026-11", "used": {"x": "1"}}',
        b'{"month": "2026-11"}',
        b"[]",
        b"\xff",
    ],
)
async def test_a_damaged_file_is_as_none_and_is_warned_of(path, content, entries):
    path.write_bytes(content)
    assert opened(path).rest(PEER_KEY) == 1000
    (entry,) = named(entries, "what the peers have used cannot be read")
    assert entry["log_level"] == "warning"


async def test_a_full_disk_is_told_once_and_stops_nothing(path, relaying, entries, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StateFile, "replace", full)
    usage = opened(path)
    with usage.counting(relaying, nothing):
        for used in (100, 200, 300):
            relaying.relayed[PEER_KEY] = used
            usage.look()
        assert usage.rest(PEER_KEY) == 700
    (entry,) = named(entries, "what the peers have used cannot be kept")
    assert (entry["log_level"], entry["reason"]) == ("warning", "No space left on device")
    assert "StateFile" in entry["hint"]


async def test_an_engine_that_does_not_answer_is_asked_again(path, relaying, entries):
    usage = opened(path)
    with usage.counting(relaying, nothing):
        relaying.relayed[PEER_KEY] = 300
        relaying.failure = OSError(110, "the engine does not answer")
        assert usage.look()
        relaying.failure = None
        usage.look()
        assert usage.rest(PEER_KEY) == 700
    assert named(entries, "what the peers have used cannot be counted")
