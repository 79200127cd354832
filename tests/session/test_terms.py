"""What a server grants its peers: what the engine is told of each, and when."""

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from awgproxy.config import parse
from awgproxy.session import terms
from awgproxy.session.endpoints import EndpointKeeper
from awgproxy.session.terms import Terms
from tests.config.texts import OTHER_KEY, PEER_KEY, SERVER


class Limits(NamedTuple):
    """What stands in for the engine's, to be looked at."""

    flows: int | None
    new_flows_per_second: float | None
    bytes_per_second: int | None
    quota_bytes: int | None


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(terms, "PeerLimits", Limits)


def made(tmp_path, server="", first="", second=""):
    text = SERVER.replace("[Server]\n", f"[Server]\n{server}\n")
    text += f"{first}\n[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n{second}\n"
    return parse(text, str(tmp_path / "x.conf"))


def test_a_peer_without_a_word_is_granted_everything(tmp_path):
    assert Terms(made(tmp_path)).grants() == {PEER_KEY: (None, None), OTHER_KEY: (None, None)}


def test_each_peer_has_its_own_limits_and_rules(tmp_path):
    config = made(tmp_path, "MaxFlows = 500", "Bandwidth = 8 Mbit/s\nMonthlyQuota = 1 kB\nDeny = 9.9.9.9")
    first, second = Terms(config).grants().values()
    assert first.limits == Limits(500, None, 1_000_000, 1000)
    assert second.limits == Limits(500, None, None, None)
    assert first.egress.verdict("9.9.9.9", 80) == "denied to this peer"
    assert second.egress is None


def test_the_engine_is_told_what_is_left_of_a_quota(tmp_path):
    config = made(tmp_path, "MonthlyQuota = 1 kB")
    month = datetime.now(UTC).strftime("%Y-%m")
    config.usage_file.write_text(f'{{"month": "{month}", "used": {{"{PEER_KEY}": 300, "{OTHER_KEY}": 5000}}}}')
    grants = Terms(config).grants()
    assert [grant.limits.quota_bytes for grant in grants.values()] == [700, 0]


async def test_peers_that_are_set_again_have_what_is_left_by_then(tmp_path, engine, monkeypatch):
    config = made(tmp_path, "MonthlyQuota = 1 kB")
    ours = Terms(config)
    told = []
    monkeypatch.setattr("awgproxy.session.endpoints.peer_settings", lambda *settings: told.append(settings[-1]))
    keeper = EndpointKeeper(config, engine, grants=ours.grants)
    with ours.usage.counting(engine, keeper.granted):
        engine.counted[PEER_KEY] = {"relayed_bytes": 400, "flows": 1}
        keeper.granted()
        assert await engine.called("set_peers")
    assert [grant.limits.quota_bytes for grant in told[-1].values()] == [600, 1000]
