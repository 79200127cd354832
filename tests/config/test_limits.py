"""Limits of a server's peers: how they are written, and whose word counts."""

import pytest

from awgproxy.config import Limits, Role, parse
from tests.config.refusals import only_problem, problems
from tests.config.texts import CLIENT, OTHER_KEY, SERVER

SECOND = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n"


@pytest.mark.parametrize(
    ("value", "bytes_per_second"),
    [
        ("50 Mbit/s", 6_250_000),
        ("50mbit/s", 6_250_000),
        ("1.5 Gbit/s", 187_500_000),
        ("8 kbit/s", 1000),
        ("8000 bit/s", 1000),
        ("6 MB/s", 6_000_000),
        ("6 MiB/s", 6 << 20),
        ("64000 B/s", 64_000),
        ("off", None),
    ],
)
def test_bandwidths(value, bytes_per_second):
    assert parse(f"{SERVER}Bandwidth = {value}\n", "test.conf").peers[0].bandwidth == bytes_per_second


@pytest.mark.parametrize(
    "value",
    ["50", "50 Mb/s", "50 Mbit", "50 MB", "-1 MB/s", "0 MB/s", "1 kbit/s", "1e9 bit/s", "99999999 TB/s", "fast"],
)
def test_bandwidths_that_are_refused(value):
    line, key, what = only_problem(f"{SERVER}Bandwidth = {value}\n")
    assert (line, key) == (10, "Bandwidth")
    assert "bit/s" in what


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("100 GB", 10**11),
        ("1.5TB", 1_500_000_000_000),
        ("100 GiB", 100 << 30),
        ("5 MB", 5_000_000),
        ("1000 B", 1000),
        ("off", None),
    ],
)
def test_quotas(value, size):
    assert parse(f"{SERVER}MonthlyQuota = {value}\n", "test.conf").peers[0].monthly_quota == size


@pytest.mark.parametrize("value", ["100", "100 Gb", "100 Gbit", "0 GB", "100 GB/s", "much"])
def test_quotas_that_are_refused(value):
    line, key, what = only_problem(f"{SERVER}MonthlyQuota = {value}\n")
    assert (line, key) == (10, "MonthlyQuota")
    assert "100 GB" in what


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MaxFlows", "0"),
        ("MaxFlows", "many"),
        ("MaxFlows", "1000001"),
        ("NewFlowsPerSecond", "0"),
        ("NewFlowsPerSecond", "-1"),
        ("NewFlowsPerSecond", "1e3"),
        ("NewFlowsPerSecond", "nan"),
    ],
)
def test_numbers_that_are_refused(key, value):
    assert only_problem(f"{SERVER}{key} = {value}\n")[:2] == (10, key)


def test_a_peers_own_word_comes_before_the_servers_and_off_is_a_word():
    defaults = "[Server]\nMaxFlows = 500\nNewFlowsPerSecond = 20\nBandwidth = 8 Mbit/s\nMonthlyQuota = 100 GB\n"
    config = parse(
        SERVER.replace("[Server]\n", defaults) + "MaxFlows = 9\nBandwidth = off\nNewFlowsPerSecond = 0.5\n" + SECOND,
        "test.conf",
    )
    first, second = (config.limits_of(peer) for peer in config.peers)
    assert first == Limits(max_flows=9, new_flows_per_second=0.5, bandwidth=None, monthly_quota=10**11)
    assert second == Limits(max_flows=500, new_flows_per_second=20.0, bandwidth=1_000_000, monthly_quota=10**11)


def test_without_a_word_there_is_no_limit():
    config = parse(SERVER, "test.conf")
    assert [limit for _, limit in config.limits_of(config.peers[0])] == [None] * 4


@pytest.mark.parametrize("line", ["MaxFlows = 5", "bandwidth = 5 MB/s", "Deny = 10.0.0.0/8", "AllowPorts = 80"])
def test_what_a_server_says_of_a_peer_is_an_error_at_a_client(line):
    number, key, what = only_problem(CLIENT + line + "\n")
    assert (number, key.lower()) == (10, line.split(" ")[0].lower())
    assert "is for a server" in what
    assert "[Client]" in what


def test_limits_are_a_servers():
    found = problems(CLIENT + "[Client]\nMaxFlows = 5\n")
    assert [(line, key) for line, key, _ in found] == [(11, "MaxFlows")]
    assert "it belongs in [Peer] or [Server]" in found[0][2]
    assert parse(SERVER + "MaxFlows = 5\n", "test.conf", Role.SERVER).peers[0].max_flows == 5


def test_usage_is_kept_beside_the_state_file():
    assert str(parse(SERVER, "/etc/x.conf").usage_file) == "/etc/x.conf.state.usage"
    text = SERVER.replace("[Server]", "[Server]\nStateFile = here/state")
    assert str(parse(text, "/etc/x.conf").usage_file) == "/etc/here/state.usage"
