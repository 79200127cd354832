"""That IPv6 is a black hole is learnt by its losses, kept, and unlearnt by a success."""

from hypothesis import given
from hypothesis import strategies as st

from awgproxy.egress.dns.ipv6 import LOSSES, NETWORKS, QUICK_SECONDS, Ipv6Path

FOUR = "192.0.2.1"


def six(site, host=1):
    return f"2001:db8:{site:x}::{host:x}"


def lose(path, flow, site, host=1):
    path.opened(flow, [six(site, host), FOUR])
    return path.connected(flow, FOUR)


def nowhere():
    path = Ipv6Path()
    for site in range(NETWORKS):
        lose(path, site, site)
    assert path.leads_nowhere
    return path


def test_losses_in_several_networks_are_enough_and_the_last_one_tells():
    path = Ipv6Path()
    assert [lose(path, site, site) for site in range(NETWORKS)] == [False] * (NETWORKS - 1) + [True]


def test_one_targets_losses_are_its_own_for_a_while():
    path = Ipv6Path()
    assert [lose(path, flow, 1, flow) for flow in range(LOSSES)] == [False] * (LOSSES - 1) + [True]


def test_a_success_between_begins_anew():
    path = Ipv6Path()
    for site in range(NETWORKS - 1):
        lose(path, site, site)
    path.opened(10, [six(10), FOUR])
    path.connected(10, six(10))
    for site in range(NETWORKS - 1):
        lose(path, site, site)
    assert not path.leads_nowhere


def test_connections_that_had_no_choice_say_nothing():
    path = Ipv6Path()
    for flow in range(100):
        path.opened(flow, [[FOUR], [FOUR, six(flow)], [six(flow)]][flow % 3])
        if flow % 3 < 2:
            path.connected(flow, FOUR)
        path.ended(flow)
    assert not path.leads_nowhere


def test_connections_that_stood_nowhere_say_nothing():
    path = Ipv6Path()
    for flow in range(100):
        path.opened(flow, [six(flow), FOUR])
        path.ended(flow)
        assert not path.connected(flow, FOUR)
    assert not path.leads_nowhere


def test_losses_while_the_tunnel_was_down_say_nothing():
    now = 0.0
    path = Ipv6Path(lambda: now)
    for flow in range(100):
        path.opened(flow, [six(flow), FOUR])
        now += QUICK_SECONDS + 0.1
        path.connected(flow, FOUR)
    assert not path.leads_nowhere


def test_the_order():
    addresses = [six(1), FOUR, six(2), "192.0.2.2"]
    assert Ipv6Path().in_order(addresses) == addresses
    assert nowhere().in_order(addresses) == [FOUR, "192.0.2.2", six(1), six(2)]


def test_it_stays_so_until_a_connection_stands_over_ipv6():
    path = nowhere()
    for flow in range(100, 200):
        path.opened(flow, [FOUR, six(1)])
        path.connected(flow, FOUR)
    assert path.leads_nowhere
    path.opened(300, [six(7)])
    assert path.connected(300, six(7))
    assert not path.leads_nowhere


def test_the_servers_own_network_tells_nothing_of_the_internet():
    path = nowhere()
    path.opened(300, ["fd00::1"])
    assert not path.connected(300, "fd00::1")
    assert path.leads_nowhere


def test_another_server_is_judged_anew():
    path = nowhere()
    path.forget()
    assert not path.leads_nowhere


flows = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 20)), max_size=60)


@given(flows)
def test_nowhere_needs_losses_without_a_success_after_them(flows):
    path, since = Ipv6Path(), []
    for flow, (site, won, host) in enumerate(flows):
        path.opened(flow, [six(site, host + 1), FOUR])
        path.connected(flow, six(site, host + 1) if won else FOUR)
        path.ended(flow)
        since = [] if won else [*since, site]
        assert path.leads_nowhere == (len(set(since)) >= NETWORKS or len(since) >= LOSSES)
    assert not path._racing
