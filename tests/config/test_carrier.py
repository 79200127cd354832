"""What a configuration says of carriers: its keys, the lines that are awgproxy's alone, and what keeps QUIC away."""

import random
import re
from ipaddress import ip_network

import pytest

from awgproxy.config import Carrier, parse
from awgproxy.config.carrier import is_carried, names_are_the_servers
from awgproxy.config.generate import Plan, Profile, generate
from awgproxy.config.lint import check, compare
from awgproxy.config.model import OBFUSCATION_KEYS
from awgproxy.config.path import Path
from awgproxy.config.summary import summary
from awgproxy.config.values import Endpoint

from .refusals import only_problem, problems
from .texts import CLIENT, OTHER_KEY, SERVER

ADDRESS = "#@ CarrierAddress = 10.8.0.1:51443\n"
CARRIED = CLIENT + ADDRESS
PATH = Path(1500, ipv6=False)
LINE = CLIENT.count("\n") + 1


def remarks(text):
    return [(one.line, one.key, one.grave) for one in check(parse(text, "test.conf"), PATH)]


def test_a_line_that_is_ours_alone_is_a_key_of_the_section_where_it_stands():
    (peer,) = parse(CARRIED, "x").peers
    assert peer.carrier_address == Endpoint("10.8.0.1", 51443)
    assert parse(CLIENT + "  #@CarrierAddress=[fd00::1]:9 ; why", "x").peers[0].carrier_address == Endpoint(
        "fd00::1", 9
    )
    assert parse(CLIENT.replace("MTU", "#@ MTU"), "x").interface.mtu == 1280


@pytest.mark.parametrize(
    "comment", ["# @ CarrierAddress = 1", "; #@ x", "##@ MTU = 1", "#", "PersistentKeepalive = 5 #@ a = b"]
)
def test_other_comments_stay_comments(comment):
    assert parse(CLIENT + comment, "x").peers[0].carrier_address is None


@pytest.mark.parametrize("line", ["#@", "#@ [Tunnel]", "#@ CarrierAddress", "#@ # Carrier = quic", "#@@@@@@"])
def test_a_line_of_ours_that_is_no_setting_is_an_error(line):
    where, _, text = only_problem(CLIENT + line)
    assert where == LINE
    assert "#@ Key = value" in text


def test_errors_in_a_line_of_ours_are_those_of_any_line():
    assert only_problem(CLIENT + "#@ CarierAddress = 10.8.0.1:1")[:2] == (LINE, "CarierAddress")
    assert "did you mean CarrierAddress" in only_problem(CLIENT + "#@ CarierAddress = 10.8.0.1:1")[2]
    assert "[Peer]" in only_problem(CLIENT + "[Tunnel]\n#@ CarrierAddress = 10.8.0.1:1")[2]
    assert f"line {LINE}" in only_problem(CARRIED + "CarrierAddress = 10.8.0.1:2")[2]
    assert "before any section" in problems(ADDRESS + CLIENT)[0][2]


@pytest.mark.parametrize(
    "value",
    ["10.8.0.1", "vpn.example.org:51443", "10.8.0.1:0", "10.8.0.1:1-2", "0.0.0.0:1", "[ff02::1]:1", "10.8.0.1:53", "x"],
)
def test_what_is_no_carriers_address(value):
    assert only_problem(f"{CLIENT}CarrierAddress = {value}")[:2] == (LINE, "CarrierAddress")


@pytest.mark.parametrize(("value", "port"), [("51443", 51443), ("none", None), ("off", None), ("1", 1)])
def test_the_servers_port(value, port):
    assert parse(SERVER.replace("[Server]", f"[Server]\nCarrierPort = {value}"), "x").server.carrier_port == port


@pytest.mark.parametrize("value", ["0", "53", "65536", "yes", "1-2"])
def test_what_is_no_port_of_a_carrier(value):
    assert only_problem(SERVER.replace("[Server]", f"[Server]\nCarrierPort = {value}"))[:2] == (7, "CarrierPort")


def test_defaults():
    assert parse(SERVER, "x").server.carrier_port == 51443
    assert parse(CLIENT, "x").tunnel.carrier is Carrier.AUTO
    assert not is_carried(parse(CLIENT, "x"))
    assert is_carried(parse(CARRIED, "x"))
    assert not is_carried(parse(CARRIED + "[Tunnel]\nCarrier = IP", "x"))


def test_the_log_says_what_is_configured():
    assert summary(parse(CLIENT, "x"))["carrier"] == "ip"
    assert summary(parse(CARRIED, "x"))["carrier"] == "auto"
    assert summary(parse(SERVER, "x"))["carrier_port"] == 51443


def test_quic_needs_an_address():
    line, key, text = only_problem(CLIENT + "[Tunnel]\nCarrier = quic")
    assert (line, key) == (LINE + 1, "Carrier")
    assert "#@ CarrierAddress" in text
    assert parse(CARRIED + "[Tunnel]\nCarrier = quic", "x").tunnel.carrier is Carrier.QUIC


@pytest.mark.parametrize(
    ("change", "theirs"),
    [
        (("", ""), True),
        (("DNS = 10.8.0.1", "DNS = 10.8.0.1, fd00::1"), True),
        (("DNS = 10.8.0.1\n", ""), True),
        (("0.0.0.0/0, ::/0", "0.0.0.0/1, 128.0.0.0/1"), True),
        (("DNS = 10.8.0.1", "DNS = 9.9.9.9"), False),
        (("DNS = 10.8.0.1", "DNS = 10.8.0.1, 10.8.0.53"), False),
        (("DNS = 10.8.0.1", "DNS = 10.8.0.1, 2620:fe::fe"), False),
        (("0.0.0.0/0, ::/0", "10.0.0.0/8, ::/0"), False),
        (("10.8.0.2/32", "10.8.0.2/32, fd00::2/128"), True),
        (("0.0.0.0/0, ::/0", "0.0.0.0/0, fd00::/8"), True),
        ((ADDRESS, ""), False),
        ((ADDRESS, ADDRESS + "[Client]\nDeny = 10.0.0.0/8"), False),
        ((ADDRESS, ADDRESS + "[Client]\nDenyPorts = 25"), True),
        ((ADDRESS, ADDRESS + "[Tunnel]\nCarrier = ip"), False),
        ((ADDRESS, ADDRESS + "[Tunnel]\nCarrier = quic"), True),
        (("DNS = 10.8.0.1", "DNS = 10.9.0.1"), False),
    ],
)
def test_whose_affair_names_are(change, theirs):
    assert CARRIED.count(change[0]) or change == ("", "")
    assert names_are_the_servers(parse(CARRIED.replace(*change), "x")) is theirs


def test_names_are_ours_where_the_tunnels_addresses_are_not_all_led_to_or_there_are_two_peers():
    both = CARRIED.replace("10.8.0.2/32", "10.8.0.2/32, fd00::2/128").replace("0.0.0.0/0, ::/0", "0.0.0.0/0, fd00::/8")
    assert not names_are_the_servers(parse(both, "x"))
    second = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.9.0.0/16\n"
    halves = "AllowedIPs = 0.0.0.0/5, 128.0.0.0/1"
    assert not names_are_the_servers(parse(CARRIED.replace("AllowedIPs = 0.0.0.0/0, ::/0", halves) + second, "x"))


def test_a_server_address_of_ones_own_is_the_servers_too():
    text = CARRIED.replace("DNS = 10.8.0.1", "DNS = 10.9.0.1") + "[Tunnel]\nServerAddress = 10.9.0.1\n"
    assert names_are_the_servers(parse(text, "x"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CARRIED, []),
        (SERVER, []),
        (CLIENT + "[Tunnel]\nCarrier = auto", [(LINE + 1, "Carrier", False)]),
        (CLIENT + "[Tunnel]\nCarrier = ip", []),
        (SERVER + "[Tunnel]\nCarrier = quic", [(SERVER.count("\n") + 2, "Carrier", False)]),
        (SERVER + ADDRESS, [(SERVER.count("\n") + 1, "CarrierAddress", False)]),
        (CARRIED.replace("1280", "1227"), [(LINE, "CarrierAddress", False)]),
        (CARRIED.replace("1280", "1228"), []),
        (CARRIED.replace("1280", "1227") + "[Tunnel]\nCarrier = quic", [(LINE, "CarrierAddress", True)]),
        (CARRIED.replace("1280", "1227") + "[Tunnel]\nCarrier = ip", []),
        (CARRIED.replace("10.8.0.1:", "10.8.0.2:"), [(LINE, "CarrierAddress", False)]),
        (CARRIED.replace("10.8.0.1:", "[fd00::1]:"), [(LINE, "CarrierAddress", False)]),
        (SERVER.replace("1280", "1200"), []),
        (
            SERVER.replace("1280", "1200").replace("[Server]", "[Server]\nCarrierPort = 51443"),
            [(7, "CarrierPort", False)],
        ),
        (SERVER.replace("1280", "1200").replace("[Server]", "[Server]\nCarrierPort = none"), []),
    ],
)
def test_what_the_lint_says(text, found):
    assert remarks(text) == found


def test_an_address_out_of_reach_is_told():
    text = CARRIED.replace("0.0.0.0/0, ::/0", "10.8.0.1/32, ::/0").replace("10.8.0.1:51443", "10.8.0.9:51443")
    assert remarks(text) == [(LINE, "CarrierAddress", False)]


def pair(seed=1, **plan):
    generated = generate(Plan("vpn.example.org", path_mtu=1500, **plan), random.Random(seed))
    return generated.clients[0], generated.server


def compared(client, server):
    found = compare(parse(client, "client.conf"), parse(server, "server.conf"))
    return [(one.file, one.key, one.grave, one.message) for one in found]


@pytest.mark.parametrize(
    ("client", "server", "words"),
    [
        ((":51443", ":51444"), ("", ""), "51444 is not the CarrierPort of server.conf, 51443"),
        (("= 10.70.0.1:", "= 10.70.0.9:"), ("", ""), "10.70.0.9 is no Address of server.conf:"),
        (("", ""), ("[Server]\n", "[Server]\nCarrierPort = none\n"), "10.70.0.1:51443 is closed by server.conf:"),
    ],
)
def test_both_ends_must_speak_of_one_place(client, server, words):
    ours, theirs = pair(networks=[ip_network("10.70.0.0/24")])
    assert compared(ours, theirs) == []
    theirs = theirs.replace(*server)
    ours = ours.replace(*client)
    ((file, key, grave, message),) = compared(ours, theirs)
    assert (file, key, grave) == ("client.conf", "CarrierAddress", False)
    assert words in message
    ((*_, grave, _),) = compared(ours + "[Tunnel]\nCarrier = quic\n", theirs)
    assert grave
    assert compared(ours + "[Tunnel]\nCarrier = ip\n", theirs) == []


@pytest.mark.parametrize("profile", list(Profile))
def test_new_files_have_a_carrier_where_it_fits(profile):
    client, server = pair(profile=profile)
    ours, theirs = parse(client, "c"), parse(server, "s")
    (peer,) = ours.peers
    assert peer.carrier_address == Endpoint(str(theirs.interface.addresses[0].ip), 51443)
    assert peer.carrier_address.address.version == 4
    assert names_are_the_servers(ours)
    six, _ = pair(profile=profile, networks=[ip_network("fd77::/64")])
    assert parse(six, "c").peers[0].carrier_address == Endpoint("fd77::1", 51443)
    assert "CarrierAddress" not in generate(Plan("a", networks=[ip_network("10.8.0.0/24")], path_mtu=1290)).clients[0]


@pytest.mark.parametrize("profile", list(Profile))
def test_without_its_comments_a_clients_file_has_nothing_but_amneziawgs_keys(profile):
    """As the apps read it: a comment begins with # wherever it stands."""
    client, _ = pair(profile=profile)
    lines = [line for line in (line.partition("#")[0].strip() for line in client.splitlines()) if line]
    assert {line for line in lines if line.startswith("[")} == {"[Interface]", "[Peer]"}
    keys = {line.partition("=")[0].strip() for line in lines if not line.startswith("[")}
    theirs = {"PrivateKey", "Address", "DNS", "MTU", "PublicKey", "PresharedKey", "AllowedIPs", "Endpoint"}
    assert keys - theirs <= set(OBFUSCATION_KEYS)
    assert not re.search("carrier", "\n".join(lines), re.IGNORECASE)
