"""Several ports, hopping over them, further sets of obfuscation parameters: what may be said, and what is refused."""

from pathlib import Path

import pytest

from awgproxy.config import Endpoint, PortRange, Role, Seconds, parse
from awgproxy.errors import ConfigError

from .texts import CLIENT, SERVER

PORTS = "ListenPort = 51820"
PHONES = """\
[Obfuscation phones]
ListenPort = 51821
S4 = 21
H4 = 100-200
"""


def problem(text, role=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, "test.conf", role)
    (found,) = caught.value.problems
    return found.line, found.section, found.key, found.what


def test_a_server_listens_on_lists_and_ranges():
    config = parse(SERVER.replace(PORTS, "ListenPort = 51820, 20000-20002\nListenPort = 9"), "test.conf")
    assert config.interface.listen == (PortRange(51820, 51820), PortRange(20000, 20002), PortRange(9, 9))
    assert config.interface.listen_ports == (51820, 20000, 20001, 20002, 9)
    assert config.interface.listen_port == 51820


def test_port_0_leaves_the_choice_to_the_system():
    interface = parse(CLIENT.replace("MTU", "ListenPort = 0\nMTU"), "test.conf").interface
    assert (interface.listen_ports, interface.listen_port) == ((), None)


@pytest.mark.parametrize(
    ("ports", "line", "words"),
    [
        ("ListenPort = 20000-20100, 20050", 4, "20050 has a port that line 4 has too"),
        ("ListenPort = 20050\nListenPort = 20000-20100", 5, "20000-20100 has a port that line 4 has too"),
        ("ListenPort = 1-1025", 4, "1024"),
        ("ListenPort = 0, 51820", 4, "0 alone"),
        ("ListenPort = 0-5", 4, "1 to 65535"),
        ("ListenPort = 9-5", 4, "write 5-9"),
        ("ListenPort = 5-", 4, "0 to 65535"),
        ("ListenPort = 65536", 4, "0 to 65535"),
    ],
)
def test_ports_that_a_server_cannot_have(ports, line, words):
    found = problem(SERVER.replace(PORTS, ports))
    assert found[:3] == (line, "Interface", "ListenPort")
    assert words in found[3]


@pytest.mark.parametrize("ports", ["5, 6", "5-6", "5\nListenPort = 6"])
def test_several_ports_are_a_servers(ports):
    line, _, key, what = problem(CLIENT.replace("MTU", f"ListenPort = {ports}\nMTU"))
    assert (line, key) == (5, "ListenPort")
    assert "for a server" in what


@pytest.mark.parametrize("host", ["vpn.example.org", "203.0.113.5", "[2001:db8::5]"])
def test_an_endpoint_with_a_range_of_ports(host):
    (peer,) = parse(CLIENT.replace("vpn.example.org:51820", f"{host}:20000-20100"), "test.conf").peers
    assert peer.endpoints == (Endpoint(host.strip("[]"), 20000, 20100),)
    assert peer.endpoints[0].ports == PortRange(20000, 20100)
    assert str(peer.endpoints[0]) == f"{host}:20000-20100"


def test_several_endpoints_keep_their_order_and_each_its_line():
    text = CLIENT.replace(":51820", ":51820, 203.0.113.5:443\nEndpoint = [2001:db8::5]:20000-20100")
    config = parse(text, "test.conf")
    assert [str(one) for one in config.peers[0].endpoints] == [
        "vpn.example.org:51820",
        "203.0.113.5:443",
        "[2001:db8::5]:20000-20100",
    ]
    assert [config.lines["peer 1", "endpoint", index] for index in range(3)] == [9, 9, 10]
    line, _, key, what = problem(text.replace("[2001:db8::5]", "0.0.0.0"))
    assert (line, key) == (10, "Endpoint")
    assert "no host's address" in what


@pytest.mark.parametrize("ports", ["0-5", "9-5", "5-", "-5", "1-65536", "1-2-3", "1,2"])
def test_a_range_of_ports_that_an_endpoint_cannot_have(ports):
    line, _, key, _ = problem(CLIENT.replace("51820", ports))
    assert (line, key) == (9, "Endpoint")


def test_applications_have_one_port():
    line, _, key, _ = problem(CLIENT + "[Socks5]\nBindAddress = 127.0.0.1:1080-1090\n")
    assert (line, key) == (11, "BindAddress")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30-90", Seconds(30, 90)), ("45", Seconds(45, 45)), (" 5 - 7 ", Seconds(5, 7)), ("off", None)],
)
def test_the_time_on_a_port(text, seconds):
    assert parse(CLIENT + f"[Tunnel]\nPortHop = {text}\n", "test.conf").tunnel.port_hop == seconds


@pytest.mark.parametrize("text", ["0", "0-30", "90-30", "30-", "soon", "30-86401"])
def test_a_time_on_a_port_that_cannot_be(text):
    line, _, key, _ = problem(CLIENT + f"[Tunnel]\nPortHop = {text}\n")
    assert (line, key) == (11, "PortHop")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20-40", Seconds(20, 40)), ("25", Seconds(25, 25)), ("0", None), ("off", None), ("70000", Seconds(70000, 70000))],
)
def test_a_persistent_keepalive(text, seconds):
    (peer,) = parse(CLIENT + f"PersistentKeepalive = {text}\n", "test.conf").peers
    assert peer.persistent_keepalive == seconds


def test_a_further_set_of_parameters():
    config = parse(SERVER + PHONES + "[obfuscation Laptops]\nListenPort = 53, 4000-4002\n", "test.conf")
    assert config.role is Role.SERVER
    assert [one.name for one in config.further_obfuscation] == ["phones", "Laptops"]
    phones, laptops = config.further_obfuscation
    assert phones.listen_ports == (51821,)
    assert laptops.listen_ports == (53, 4000, 4001, 4002)
    assert config.obfuscation_of(phones) == [("S4", "21"), ("H4", "100-200"), ("KeepalivePadding", "padded")]
    assert config.obfuscation_of(laptops) == [("KeepalivePadding", "padded")]
    assert config.obfuscated == (config.interface, phones, laptops)


@pytest.mark.parametrize(
    ("text", "line", "section", "words"),
    [
        (PHONES.replace(" phones", ""), 10, "Obfuscation", "such as [Obfuscation phones]"),
        (PHONES.replace("phones", "my phones"), 10, "Obfuscation my phones", "letters, digits"),
        (PHONES.replace("phones", "x" * 33), 10, f"Obfuscation {'x' * 33}", "32 at most"),
        (PHONES.replace("ListenPort = 51821\n", ""), 10, "Obfuscation phones", "is missing"),
        (PHONES.replace("51821", "51820"), 11, "Obfuscation phones", "has a port that line 4 has too"),
        (PHONES.replace("51821", "0"), 11, "Obfuscation phones", "1 to 65535"),
        (PHONES.replace("51821", "20000-22000"), 11, "Obfuscation phones", "1024"),
        (PHONES.replace("S4 = 21", "S4 = -1"), 12, "Obfuscation phones", "S4"),
        (PHONES.replace("S4 = 21", "S4 = 65000"), 12, "Obfuscation phones", "leaves no room"),
        (PHONES.replace("H4 = 100-200", "H4 = 3-200"), 13, "Obfuscation phones", "overlap"),
        (PHONES + "MTU = 1280\n", 14, "Obfuscation phones", "it belongs in [Interface]"),
        (PHONES + "S4 = 21\n", 14, "Obfuscation phones", "stands twice"),
        (
            PHONES + PHONES.replace("phones", "PHONES").replace("51821", "51822"),
            14,
            "Obfuscation PHONES",
            "line 10 again",
        ),
    ],
)
def test_a_further_set_that_is_refused(text, line, section, words):
    found = problem(SERVER + text)
    assert found[:2] == (line, section)
    assert words in found[3]


def test_a_client_has_one_set_of_parameters():
    line, section, _, what = problem(CLIENT + PHONES, Role.CLIENT)
    assert (line, section) == (10, "Obfuscation phones")
    assert "[Interface]" in what


def test_the_mtu_fits_a_datagram_with_every_set():
    line, _, key, what = problem(SERVER.replace("1280", "65400") + PHONES.replace("S4 = 21", "S4 = 1000"))
    assert (line, key) == (5, "MTU")
    assert "64455" in what


def test_the_mtu_that_is_not_given_fits_every_set():
    text = SERVER.replace("MTU = 1280\n", "S4 = 5\n")
    alone = parse(text, "test.conf").mtu
    assert parse(text + PHONES, "test.conf").mtu == alone - 16


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "/etc/awgproxy/server.conf.state"),
        ("StateFile = state", "/etc/awgproxy/state"),
        ("StateFile = /var/lib/awgproxy/last", "/var/lib/awgproxy/last"),
    ],
)
def test_the_file_of_what_a_server_remembers(given, expected):
    config = parse(SERVER.replace("[Server]\n", f"[Server]\n{given}\n"), "/etc/awgproxy/server.conf")
    assert config.state_file == Path(expected)


@pytest.mark.parametrize("name", ["test.conf", "./test.conf", "/etc/awgproxy/test.conf", "../awgproxy/test.conf"])
def test_a_configuration_is_not_overwritten(name):
    with pytest.raises(ConfigError) as caught:
        parse(SERVER.replace("[Server]\n", f"[Server]\nStateFile = {name}\n"), "/etc/awgproxy/test.conf")
    (found,) = caught.value.problems
    assert (found.line, found.key) == (7, "StateFile")


def test_a_name_that_no_file_has():
    line, _, key, _ = problem(SERVER.replace("[Server]\n", "[Server]\nStateFile = /var/lib/\n"))
    assert (line, key) == (7, "StateFile")
