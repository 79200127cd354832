"""What clients may reach: by default, and with exceptions."""

from ipaddress import ip_address, ip_interface, ip_network

import pytest

from awgproxy._native import EgressPolicy
from awgproxy.config import PortRange, Server, parse
from awgproxy.policy import PeerPolicies, egress_rules
from awgproxy.policy.defaults import REFUSED_NETWORKS
from tests.config.texts import OTHER_KEY, PEER_KEY, SERVER

TUNNEL = [ip_interface("10.8.0.1/24"), ip_interface("2a00:1::1/64")]
HOST = [ip_address("8.8.4.4"), ip_address("2a00:2::1")]


def policy(**settings):
    return EgressPolicy(egress_rules(Server(**settings), TUNNEL, HOST))


def networks(*texts):
    return tuple(ip_network(text) for text in texts)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.0.0.1", "223.255.255.254", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888", "3ffe::1"],
)
def test_the_public_internet_is_open(address):
    assert policy().verdict(address, 443) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.255", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "reserved"),
        ("::", "reserved"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("fec0::1", "private"),
        ("100.64.0.1", "shared (CGNAT)"),
        ("224.0.0.251", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("192.0.2.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("198.18.0.1", "benchmarking"),
        ("192.0.0.8", "reserved"),
        ("2001::1", "reserved"),
        ("100::1", "reserved"),
        ("5f00::1", "reserved"),
        ("64:ff9b:1::1", "reserved"),
        ("10.8.0.1", "the server's own address"),
        ("10.8.0.77", "the tunnel's own network"),
        ("2a00:1::1", "the server's own address"),
        ("2a00:1::77", "the tunnel's own network"),
        ("8.8.4.4", "the server's own address"),
        ("2a00:2::1", "the server's own address"),
    ],
)
def test_what_is_refused_by_default(address, reason):
    assert policy().verdict(address, 443) == reason


@pytest.mark.parametrize(
    "inner", ["127.0.0.1", "10.0.0.1", "10.8.0.1", "169.254.169.254", "8.8.4.4", "255.255.255.255"]
)
@pytest.mark.parametrize("form", ["::ffff:{0}", "64:ff9b::{0}", "2002:{1:x}:{2:x}::1"])
def test_other_forms_of_a_refused_address(inner, form):
    number = int(ip_address(inner))
    address = str(ip_address(form.format(inner, number >> 16, number & 0xFFFF)))
    assert policy().verdict(address, 443) == policy().verdict(inner, 443) is not None


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_other_forms_of_an_open_address(address):
    assert policy().verdict(address, 443) is None
    assert policy(deny=networks("8.8.8.0/24")).verdict(address, 443) == "denied by the configuration"


def test_allow_private_opens_private_networks_and_nothing_else():
    opened = policy(allow_private=True)
    for address in ("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"):
        assert opened.verdict(address, 443) is None
    for address in ("127.0.0.1", "169.254.1.1", "10.8.0.77", "10.8.0.1", "224.0.0.1", "fe80::1", "8.8.4.4"):
        assert opened.verdict(address, 443) is not None


def test_allow_opens_what_it_names():
    opened = policy(allow=networks("127.0.0.0/8", "10.1.0.0/16"))
    assert opened.verdict("127.0.0.1", 443) is None
    assert opened.verdict("10.1.2.3", 443) is None
    assert opened.verdict("10.2.0.1", 443) == "private"


def test_a_wide_allow_opens_nothing_narrow():
    opened = policy(allow=networks("0.0.0.0/0", "::/0"))
    assert opened.verdict("10.0.0.1", 443) == "private"
    assert opened.verdict("::1", 443) == "loopback"
    assert policy(allow=networks("10.0.0.0/8")).verdict("10.8.0.77", 443) == "the tunnel's own network"


def test_the_narrowest_word_wins_whoever_says_it():
    mixed = policy(allow=networks("10.0.0.0/8", "10.1.2.0/24"), deny=networks("10.1.0.0/16", "10.1.2.3/32"))
    assert mixed.verdict("10.9.0.1", 443) is None
    assert mixed.verdict("10.1.0.1", 443) == "denied by the configuration"
    assert mixed.verdict("10.1.2.4", 443) is None
    assert mixed.verdict("10.1.2.3", 443) == "denied by the configuration"


def test_of_equal_words_the_refusal_wins_and_a_default_loses():
    assert policy(allow=networks("1.2.3.0/24"), deny=networks("1.2.3.0/24")).verdict("1.2.3.4", 443) is not None
    assert policy(allow=networks("192.168.0.0/16")).verdict("192.168.0.1", 443) is None
    assert policy(allow=networks("8.8.4.4/32")).verdict("8.8.4.4", 443) is None


def test_only_some_networks_open():
    only = policy(deny=networks("0.0.0.0/0", "::/0"), allow=networks("93.184.0.0/16"))
    assert only.verdict("93.184.1.1", 443) is None
    assert only.verdict("8.8.8.8", 443) == "denied by the configuration"
    assert only.verdict("2606:4700::1", 443) == "denied by the configuration"
    assert only.verdict("64:ff9b::808:808", 443) == "denied by the configuration"


def test_mail_is_refused_unless_allowed():
    assert policy().verdict("8.8.8.8", 25) == "port 25"
    assert policy().verdict("2606:4700::1111", 25) == "port 25"
    assert policy().verdict("8.8.8.8", 24) is None
    assert policy().verdict("8.8.8.8", 26) is None
    assert policy(allow_ports=(PortRange(25, 25),)).verdict("8.8.8.8", 25) is None
    assert policy(allow_ports=(PortRange(1, 65535),)).verdict("8.8.8.8", 25) == "port 25"


def test_an_allowed_port_opens_no_network():
    assert policy(allow_ports=(PortRange(443, 443),)).verdict("10.0.0.1", 443) == "private"
    assert policy(allow=networks("10.0.0.0/8")).verdict("10.0.0.1", 25) == "port 25"


def test_only_some_ports_open():
    only = policy(deny_ports=(PortRange(1, 65535),), allow_ports=(PortRange(80, 80), PortRange(440, 450)))
    opened = [port for port in range(1, 65536) if only.verdict("8.8.8.8", port) is None]
    assert opened == [80, *range(440, 451)]
    assert only.verdict("8.8.8.8", 79) == "port 1-79"


def test_a_denied_port_inside_an_allowed_range():
    mixed = policy(allow_ports=(PortRange(20, 30),), deny_ports=(PortRange(22, 23), PortRange(30, 40)))
    refused = [port for port in range(15, 50) if mixed.verdict("8.8.8.8", port) is not None]
    assert refused == [22, 23, 25, 30, *range(31, 41)]


def test_the_defaults_are_networks_of_their_own():
    names = [network for network, _ in REFUSED_NETWORKS]
    assert len(names) == len(set(names))


def test_the_policy_of_a_configuration():
    text = SERVER.replace("[Server]", "[Server]\nAllow = 192.168.7.0/24\nDenyPorts = 22")
    opened = PeerPolicies(parse(text, "x")).common
    assert opened.verdict("192.168.7.1", 443) is None
    assert opened.verdict("192.168.8.1", 443) == "private"
    assert opened.verdict("8.8.8.8", 22) == "port 22"
    assert opened.verdict("10.8.0.9", 443) == "the tunnel's own network"


SECOND = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n"


def policies(server, peer):
    """Of a server's rules and a first peer's; there is a second peer without any."""
    return PeerPolicies(parse(SERVER.replace("[Server]", "[Server]\n" + server) + peer + "\n" + SECOND, "x"))


def test_a_peers_rules_are_its_own_on_top_of_the_servers():
    made = policies("Deny = 93.184.0.0/16", "Allow = 192.168.7.0/24\nDenyPorts = 443")
    first, second = made.of(PEER_KEY), made.of(OTHER_KEY)
    assert first.verdict("192.168.7.1", 80) is None
    assert second.verdict("192.168.7.1", 80) == "private"
    assert first.verdict("8.8.8.8", 443) == "port 443"
    assert second.verdict("8.8.8.8", 443) is None
    for one in (first, second):
        assert one.verdict("93.184.1.1", 80) == "denied by the configuration"
        assert one.verdict("10.0.0.1", 80) == "private"
        assert one.verdict("8.8.8.8", 25) == "port 25"
    assert made.own(OTHER_KEY) is None
    assert made.of("a peer that is not there") is made.common


def test_of_equal_words_the_peers_own_wins_and_of_its_own_the_refusal():
    equal = policies("Deny = 9.9.9.0/24\nAllow = 10.1.0.0/16\nDenyPorts = 80\nAllowPorts = 25", "")
    assert equal.own(PEER_KEY) is None
    for peer, address, port, reason in (
        ("Allow = 9.9.9.0/24", "9.9.9.9", 443, None),
        ("Deny = 10.1.0.0/16", "10.1.0.1", 443, "denied to this peer"),
        ("Allow = 9.9.9.0/24\nDeny = 9.9.9.0/24", "9.9.9.9", 443, "denied to this peer"),
        ("AllowPorts = 80", "8.8.8.8", 80, None),
        ("DenyPorts = 25", "8.8.8.8", 25, "port 25"),
    ):
        made = policies("Deny = 9.9.9.0/24\nAllow = 10.1.0.0/16\nDenyPorts = 80\nAllowPorts = 25", peer)
        assert made.of(PEER_KEY).verdict(address, port) == reason, peer


def test_a_narrower_word_wins_over_a_peers_own():
    made = policies("Deny = 9.9.9.9", "Allow = 9.9.9.0/24")
    assert made.of(PEER_KEY).verdict("9.9.9.8", 443) is None
    assert made.of(PEER_KEY).verdict("9.9.9.9", 443) == "denied by the configuration"


def test_a_peer_that_reaches_nothing_but_some_networks():
    made = policies("", "Deny = 0.0.0.0/0, ::/0\nAllow = 93.184.0.0/16")
    assert made.of(PEER_KEY).verdict("93.184.1.1", 443) is None
    for address in ("8.8.8.8", "2606:4700::1", "64:ff9b::808:808"):
        assert made.of(PEER_KEY).verdict(address, 443) == "denied to this peer"
        assert made.of(OTHER_KEY).verdict(address, 443) is None
