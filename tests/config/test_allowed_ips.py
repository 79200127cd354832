"""Networks of several peers: which overlap, and that neither end takes them."""

from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awgproxy.config import parse
from awgproxy.config.allowed_ips import overlaps
from awgproxy.errors import ConfigError
from tests.config.texts import CLIENT, OTHER_KEY, SERVER


def peers(*lists):
    return [SimpleNamespace(allowed_ips=tuple(ip_network(text) for text in networks)) for networks in lists]


def found(*lists):
    return {(str(one.network), one.peer, str(two.network), two.peer) for one, two in overlaps(peers(*lists))}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([["10.8.0.2/32"], ["10.8.0.3/32"]], set()),
        ([["10.8.0.0/24", "10.8.0.2/32"]], set()),
        ([["10.8.0.0/24"], ["10.8.0.2/32"]], {("10.8.0.0/24", 1, "10.8.0.2/32", 2)}),
        ([["10.8.0.2/32"], ["10.8.0.0/24"]], {("10.8.0.2/32", 1, "10.8.0.0/24", 2)}),
        ([["10.8.0.2/32"], ["10.8.0.2/32"]], {("10.8.0.2/32", 1, "10.8.0.2/32", 2)}),
        ([["::/0"], ["0.0.0.0/0"]], set()),
        ([["::/0"], ["fd00::2/128", "0.0.0.0/0"]], {("::/0", 1, "fd00::2/128", 2)}),
        (
            [["10.0.0.0/8"], ["10.1.0.0/16"], ["10.2.0.0/16"]],
            {
                ("10.0.0.0/8", 1, "10.1.0.0/16", 2),
                ("10.0.0.0/8", 1, "10.2.0.0/16", 3),
            },
        ),
    ],
)
def test_overlaps(lists, expected):
    assert found(*lists) == expected


SMALL = st.builds(
    lambda bits, length: ip_network((bits, 24 + length), strict=False), st.integers(0, 255), st.integers(0, 8)
)


@given(st.lists(st.lists(SMALL, max_size=5), max_size=5))
def test_a_network_is_found_just_where_another_peers_shares_an_address(lists):
    given_peers = [SimpleNamespace(allowed_ips=tuple(networks)) for networks in lists]
    everything = [(network, number) for number, networks in enumerate(lists, 1) for network in networks]
    expected = any(one.overlaps(two) for one, first in everything for two, second in everything if first != second)
    pairs = list(overlaps(given_peers))
    assert bool(pairs) == expected
    assert all(one.network.overlaps(two.network) and one.peer < two.peer for one, two in pairs)


def test_a_peer_that_could_not_be_read_is_passed_over():
    assert list(overlaps([None, *peers(["10.0.0.0/8"])])) == []


NESTED = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.7.0.1/32, 10.8.0.0/28\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SERVER, "10.8.0.0/28 overlaps 10.8.0.2/32, the peer's of line 9"),
        (CLIENT, "10.7.0.1/32 overlaps 0.0.0.0/0, the peer's of line 8"),
    ],
)
def test_peers_with_addresses_in_common_are_refused_at_either_end(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text + NESTED, "test.conf")
    problem = caught.value.problems[0]
    assert (problem.section, problem.key, problem.message) == ("Peer", "AllowedIPs", message)
    assert "one peer" in problem.suggestion
