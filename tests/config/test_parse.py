"""What a configuration says, and what is said of one that is wrong."""

from ipaddress import ip_address, ip_interface, ip_network

import pytest

from awgproxy.config import Endpoint, KeepalivePadding, LogFormat, LogLevel, PortRange, Recovery, Seconds, parse
from awgproxy.errors import ConfigError

from .refusals import only_problem, problems
from .texts import CLIENT, INTERFACE, OTHER_KEY, OWN_KEY, PEER, PEER_KEY, PRESHARED_KEY, SERVER, own_public_key


def test_everything_that_a_file_can_say():
    config = parse(
        f"""
        [Interface]
        PrivateKey = {OWN_KEY}
        Address = 10.8.0.2/24, fd00::2/64
        Address = 10.9.0.2
        ListenPort = 4000
        DNS = 10.8.0.1
        DNS = fd00::1
        MTU = 1400
        FwMark = 0xca6c
        Jc = 4
        Jmin = 40
        Jmax = 70
        S4 = 16
        H1 = 100-200
        I1 = <b 0xc0ff><r 16>

        [Peer]
        PublicKey = {PEER_KEY}
        PresharedKey = {PRESHARED_KEY}
        AllowedIPs = 0.0.0.0/1
        AllowedIPs = ::/0, 192.168.1.9/24
        Endpoint = [2001:db8::5]:51820
        PersistentKeepalive = 25

        [Peer]
        PublicKey = {OTHER_KEY}
        AllowedIPs = 198.51.100.0/24

        [Socks5]
        BindAddress = 127.0.0.1:1090
        Username = alice
        Password = a#b; c=d

        [Server]
        DNS = 9.9.9.9, 2620:fe::fe
        AllowPrivate = yes
        Allow = 10.0.0.0/8
        Deny = 10.1.0.0/16, 93.184.215.14
        AllowPorts = 25
        DenyPorts = 6881-6889, 22
        SourceAddress = 192.0.2.7, 2001:db8::7

        [Tunnel]
        KeepalivePadding = Reference
        Recovery = Reference
        ServerAddress = 10.8.0.1, fd00::1
        Workers = Auto

        [Log]
        Level = DEBUG
        Format = json
        """,
        "test.conf",
    )
    interface = config.interface
    assert interface.private_key.get_secret_value() == OWN_KEY
    assert interface.addresses == tuple(ip_interface(text) for text in ("10.8.0.2/24", "fd00::2/64", "10.9.0.2/32"))
    assert interface.listen_port == 4000
    assert interface.dns == (ip_address("10.8.0.1"), ip_address("fd00::1"))
    assert config.mtu == 1400
    assert interface.fw_mark == 0xCA6C
    assert config.obfuscation == [
        *[("Jc", "4"), ("Jmin", "40"), ("Jmax", "70"), ("S4", "16"), ("H1", "100-200"), ("I1", "<b 0xc0ff><r 16>")],
        ("KeepalivePadding", "reference"),
    ]
    first, second = config.peers
    assert first.public_key == PEER_KEY
    assert first.preshared_key.get_secret_value() == PRESHARED_KEY
    assert first.allowed_ips == tuple(ip_network(text) for text in ("0.0.0.0/1", "::/0", "192.168.1.0/24"))
    assert first.endpoints == (Endpoint("2001:db8::5", 51820),)
    assert str(first.endpoints[0]) == "[2001:db8::5]:51820"
    assert first.persistent_keepalive == Seconds(25, 25)
    assert (second.preshared_key, second.endpoints, second.persistent_keepalive) == (None, (), None)
    assert config.socks5.bind_address == Endpoint("127.0.0.1", 1090)
    assert config.socks5.username == "alice"
    assert config.socks5.password.get_secret_value() == "a#b; c=d"
    server = config.server
    assert server.dns == (ip_address("9.9.9.9"), ip_address("2620:fe::fe"))
    assert server.allow_private
    assert server.allow == (ip_network("10.0.0.0/8"),)
    assert server.deny == (ip_network("10.1.0.0/16"), ip_network("93.184.215.14/32"))
    assert server.allow_ports == (PortRange(25, 25),)
    assert server.deny_ports == (PortRange(6881, 6889), PortRange(22, 22))
    assert server.source_addresses == (ip_address("192.0.2.7"), ip_address("2001:db8::7"))
    assert config.tunnel.keepalive_padding is KeepalivePadding.REFERENCE
    assert config.tunnel.recovery is Recovery.REFERENCE
    assert config.tunnel.server_addresses == (ip_address("10.8.0.1"), ip_address("fd00::1"))
    assert config.tunnel.workers is None
    assert (config.log.level, config.log.format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert config.warnings == ()


def test_what_a_file_need_not_say():
    config = parse(CLIENT, "test.conf")
    assert config.socks5.bind_address == Endpoint("127.0.0.1", 1080)
    assert (config.socks5.username, config.socks5.password) == (None, None)
    assert config.server.dns == ()
    assert not config.server.allow_private
    assert config.tunnel.keepalive_padding is KeepalivePadding.PADDED
    assert config.tunnel.recovery is Recovery.FAST
    assert config.tunnel.workers == 1
    assert (config.log.level, config.log.format) == (LogLevel.INFO, LogFormat.AUTO)


def test_a_clients_rules():
    rules = "[Client]\nDeny = 10.0.0.0/8, fd00::/8\nAllow = 10.1.0.0/16\nDenyPorts = 1-1023\nAllowPorts = 80, 443\n"
    client = parse(CLIENT + rules, "test.conf").client
    assert client.deny == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert client.allow == (ip_network("10.1.0.0/16"),)
    assert client.deny_ports == (PortRange(1, 1023),)
    assert client.allow_ports == (PortRange(80, 80), PortRange(443, 443))


def test_names_are_taken_in_any_case():
    text = CLIENT.replace("[Interface]", "[INTERFACE]").replace("PrivateKey", "privatekey").replace("MTU", "mTu")
    config = parse(text.replace("DNS", "s4 = 5\ndns") + "[tunnel]\nkeepalivepadding = padded\n", "test.conf")
    assert config.mtu == 1280
    assert ("S4", "5") in config.obfuscation


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_comments_blank_lines_and_line_ends(end):
    text = "; first\n# second\n\n" + CLIENT.replace("MTU = 1280", "MTU\t=   1280  # for phones ; really")
    assert parse(text.replace("\n", end), "test.conf").mtu == 1280


def test_all_errors_come_at_once_in_the_order_of_the_file():
    found = problems(
        f"""\
stray = 1
[Interface]
PrivateKey = {OWN_KEY}
Adress = 10.8.0.2
Address = 10.8.0.300
ListenPort = 70000
MTU = 575
Jc = many
S1 = -3
no equals sign
[Peer]
PublicKey = short
Endpoint = example.org
[Sokcs5]
[Log]
Level = loud
"""
    )
    assert [(line, where) for line, where, _ in found] == [
        (1, None),
        (4, "Adress"),
        (5, "Address"),
        (6, "ListenPort"),
        (7, "MTU"),
        (8, "Jc"),
        (9, "S1"),
        (10, None),
        (11, "AllowedIPs"),
        (12, "PublicKey"),
        (13, "Endpoint"),
        (14, "Sokcs5"),
        (16, "Level"),
    ]
    told = dict(zip([line for line, _, _ in found], [what for _, _, what in found], strict=True))
    assert "did you mean Address?" in told[4]
    assert "10.8.0.300" in told[5]
    assert "0 to 65535" in told[6]
    assert "576 to 65400" in told[7]
    assert "did you mean [Socks5]?" in told[14]
    assert "debug, info, warning, error" in told[16]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Address", "10.8.0.2/33"),
        ("Address", "fe80::1%eth0/64"),
        ("Address", "0.0.0.0"),
        ("Address", "224.0.0.1"),
        ("Address", "255.255.255.255"),
        ("DNS", "10.8.0.256"),
        ("DNS", "-bad-.example"),
        ("ListenPort", "-1"),
        ("ListenPort", "٣"),
        ("ListenPort", "1" * 5000),
        ("MTU", "65401"),
        ("MTU", "1280.5"),
        ("FwMark", "0x100000000"),
        ("FwMark", "red"),
        ("H1", "9-5"),
        ("H1", "4294967296"),
        ("S4", "70000"),
        ("I1", "<b 0xabc>"),
        ("I1", "<nonsense>"),
        ("Jc", "3.5"),
    ],
)
def test_values_of_the_interface_that_are_refused(key, value):
    interface = "\n".join(line for line in INTERFACE.splitlines() if not line.startswith((key, "[")))
    text = f"[Interface]\n{key} = {value}\n{interface}\n{PEER}"
    found = problems(text)
    assert any((line, name) == (2, key) for line, name, _ in found), found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PublicKey", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("PublicKey", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("PublicKey", PEER_KEY[:-1]),
        ("PresharedKey", "secret"),
        ("AllowedIPs", "0.0.0.0/0, all"),
        ("AllowedIPs", ","),
        ("Endpoint", "vpn.example.org"),
        ("Endpoint", "vpn.example.org:0"),
        ("Endpoint", "vpn.example.org:65536"),
        ("Endpoint", "2001:db8::1:51820"),
        ("Endpoint", "[10.0.0.1]:51820"),
        ("Endpoint", "a..b:51820"),
        ("Endpoint", "999.1.1.1:51820"),
        ("Endpoint", "0.0.0.0:51820"),
        ("Endpoint", "[::]:51820"),
        ("Endpoint", "255.255.255.255:51820"),
        ("Endpoint", "224.0.0.1:51820"),
        ("Endpoint", "[ff02::1]:51820"),
        ("PersistentKeepalive", "4294967296"),
        ("PersistentKeepalive", "30-20"),
        ("PersistentKeepalive", "20-"),
        ("PersistentKeepalive", "0-20"),
        ("PersistentKeepalive", "soon"),
    ],
)
def test_values_of_a_peer_that_are_refused(key, value):
    rest = "\n".join(line for line in PEER.splitlines() if not line.startswith((key, "[")))
    line, name, _ = only_problem(f"[Peer]\n{key} = {value}\n{rest}\n{INTERFACE}")
    assert (line, name) == (2, key)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Socks5", "BindAddress", "127.0.0.1"),
        ("Socks5", "BindAddress", ":1080"),
        ("Socks5", "BindAddress", "example.org:1080"),
        ("Socks5", "Username", "x" * 256),
        ("Server", "DNS", "dns.example.org"),
        ("Server", "AllowPrivate", "perhaps"),
        ("Server", "Allow", "10.0.0.0/40"),
        ("Server", "DenyPorts", "0"),
        ("Server", "DenyPorts", "90-80"),
        ("Server", "AllowPorts", "http"),
        ("Server", "SourceAddress", "eth0"),
        ("Server", "SourceAddress", "0.0.0.0"),
        ("Server", "SourceAddress", "192.0.2.7, 192.0.2.8"),
        ("Client", "Deny", "10.0.0.0/40"),
        ("Client", "DenyPorts", "0"),
        ("Tunnel", "KeepalivePadding", "bare"),
        ("Tunnel", "Recovery", "slow"),
        ("Tunnel", "ServerAddress", "10.8.0.1/24"),
        ("Tunnel", "Workers", "0"),
        ("Tunnel", "Workers", "65"),
        ("Tunnel", "Workers", "all"),
        ("Log", "Format", "xml"),
    ],
)
def test_values_of_our_sections_that_are_refused(section, key, value):
    password = "Password = x\n" if key == "Username" else ""
    rest = SERVER.replace("[Server]\n", "") if section == "Server" else CLIENT
    line, name, what = only_problem(f"[{section}]\n{key} = {value}\n{password}{rest}")
    assert (line, name) == (2, key)
    assert what.startswith(f"[{section}] {key}: ")


@pytest.mark.parametrize("key", ["PrivateKey", "Address", "PublicKey", "AllowedIPs"])
def test_what_is_required(key):
    text = "\n".join(line for line in CLIENT.splitlines() if not line.startswith(key))
    line, name, what = only_problem(text)
    assert name == key
    assert "is missing" in what
    assert line == (1 if key in INTERFACE else text.splitlines().index("[Peer]") + 1)


def test_an_empty_file_lacks_its_sections():
    peer, interface = problems("")
    assert peer[:2] == (None, "Peer")
    assert interface == (
        None,
        "Interface",
        "[Interface]: is missing; every configuration has an [Interface] section",
    )


@pytest.mark.parametrize("value", ["", "   ", " # nothing"])
def test_a_key_without_a_value_is_refused_once(value):
    assert only_problem(CLIENT.replace("10.8.0.2/32", value))[:2] == (3, "Address")


@pytest.mark.parametrize("key", ["MTU", "mtu"])
def test_a_single_key_that_stands_twice(key):
    line, name, what = only_problem(INTERFACE + f"{key} = 1300\n" + PEER)
    assert (line, name) == (6, "MTU")
    assert "line 5" in what


def test_a_parameter_that_stands_twice():
    assert only_problem(INTERFACE + "S4 = 3\ns4 = 4\n" + PEER)[:2] == (7, "S4")


def test_a_section_that_stands_twice_is_read_all_the_same():
    found = problems(CLIENT + "[Log]\nLevel = info\n[log]\nLevel = loud\n")
    assert [(line, where) for line, where, _ in found] == [(12, "Log"), (13, "Level")]


def test_the_same_peer_twice():
    text = CLIENT.replace("0.0.0.0/0, ::/0", "10.9.0.0/16")
    line, name, what = only_problem(text + PEER.replace("0.0.0.0/0, ::/0", "10.8.0.7/32"))
    assert (line, name) == (11, "PublicKey")
    assert "line 7" in what


def test_its_own_key_as_peer():
    assert "own" in only_problem(CLIENT.replace(PEER_KEY, own_public_key()))[2]


def test_a_network_that_two_peers_have():
    text = SERVER + f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.9/32\nAllowedIPs = 10.8.0.2\n"
    line, name, what = only_problem(text)
    assert (line, name) == (13, "AllowedIPs")
    assert "line 9" in what


def test_ipv6_needs_its_least_mtu():
    text = CLIENT.replace("10.8.0.2/32", "10.8.0.2/32, fd00::2/128").replace("1280", "1279")
    assert "1280" in only_problem(text)[2]
    assert parse(CLIENT.replace("1280", "576"), "test.conf").mtu == 576


@pytest.mark.parametrize(("s4", "most"), [(0, 65_400), (16, 65_400), (1000, 64_455)])
def test_the_mtu_must_fit_a_datagram_with_s4(s4, most):
    padded = CLIENT.replace("MTU", f"S4 = {s4}\nMTU")
    assert parse(padded.replace("1280", str(most)), "test.conf").mtu == most
    line, name, what = only_problem(padded.replace("1280", str(most + 1)))
    assert (line, name) == (6, "MTU")
    assert str(most) in what


@pytest.mark.parametrize("mtu", ["", "MTU = 576\n"])
def test_a_padding_that_leaves_no_room_for_packets(mtu):
    line, name, what = only_problem(CLIENT.replace("MTU = 1280\n", f"S4 = 65000\n{mtu}"))
    assert (line, name) == (5, "S4")
    assert "576" in what


@pytest.mark.parametrize(("given", "absent"), [("Username", "Password"), ("Password", "Username")])
def test_half_a_credential(given, absent):
    line, name, what = only_problem(CLIENT + f"[Socks5]\n{given} = x\n")
    assert (line, name) == (11, given)
    assert absent in what


@pytest.mark.parametrize("key", ["PreUp", "PostUp", "PreDown", "PostDown", "Table", "SaveConfig"])
def test_what_wg_quick_would_do_is_warned_of_by_name(key):
    (warning,) = parse(INTERFACE + f"{key.upper()} = touch /tmp/x\n" + PEER, "test.conf").warnings
    assert (warning.line, warning.key) == (6, key.upper())
    assert "wg-quick" in warning.message


def test_a_search_domain_is_warned_of():
    config = parse(CLIENT.replace("DNS = 10.8.0.1", "DNS = 10.8.0.1, lan.example"), "test.conf")
    assert config.interface.dns == (ip_address("10.8.0.1"),)
    assert [(warning.line, warning.key) for warning in config.warnings] == [(4, "DNS")]


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("KeepalivePadding = padded", "[Tunnel]"),
        ("BindAddress = 127.0.0.1:1", "[Socks5]"),
        ("J1 = <b 0x00>", "AmneziaWG 1.5"),
        ("Qwertz = 1", "known are ListenPort"),
    ],
)
def test_an_unknown_key_comes_with_what_to_do(line, suggestion):
    assert suggestion in only_problem(INTERFACE + line + "\n" + PEER)[2]


@pytest.mark.parametrize("header", ["[Interface", "[]", "[[Peer]]", "[Peer] x"])
def test_a_header_that_is_none(header):
    found = problems(f"{header}\nWhatever = 1\n{CLIENT}")
    assert [line for line, _, _ in found] == [1]


def test_the_number_of_problems_told_is_bounded():
    found = problems("[Interface]\n" + "Qwertz = 1\n" * 500)
    assert len(found) == 101
    assert "more problems" in found[-1][2]


def test_reading_ends_where_too_much_is_wrong():
    assert problems("[Peer]\n" * 100_000)[-1][2].startswith("more than 1000 problems")


SECRET = "kLh1wXz8Tn0mQ5vR2yB7cJ4dF6gH9sA3eU1iO0pW="  # 41 characters: nearly a key


@pytest.mark.parametrize(
    "text",
    [
        CLIENT.replace(OWN_KEY, SECRET),
        CLIENT.replace(PEER_KEY, SECRET),
        CLIENT.replace("10.8.0.2/32", SECRET),
        CLIENT.replace("vpn.example.org", SECRET),
        CLIENT.replace("10.8.0.1", SECRET),
        CLIENT.replace("PrivateKey = ", "PrivateKey "),
        CLIENT + f"PresharedKey = {SECRET}\n",
        CLIENT + f"Presharedkeyy = {SECRET}\n",
        CLIENT + f"{SECRET} = 1\n",
        CLIENT + f"[{SECRET}]\n",
        CLIENT + f"[Socks5]\nUsername = me\nPassword = {SECRET * 8}\n",
        INTERFACE + f"H1 = {SECRET}\nJc = {SECRET}\nI1 = {SECRET}\n" + PEER,
        INTERFACE + f"H1 = {SECRET} (mine)\nJc = x{SECRET}\nI1 = <b {SECRET}>\nI2 = <b 0x00>{SECRET}\n" + PEER,
        INTERFACE + f"MTU = {SECRET}\n" + PEER,
    ],
)
def test_no_error_shows_a_secret(text):
    with pytest.raises(ConfigError) as caught:
        parse(text, "test.conf")
    told = str(caught.value) + repr(caught.value) + "".join(repr(problem) for problem in caught.value.problems)
    assert SECRET[:12] not in told
    assert OWN_KEY[:12] not in told
    assert caught.value.__cause__ is None


def test_no_repr_shows_a_secret():
    config = parse(
        CLIENT + f"PresharedKey = {PRESHARED_KEY}\n[Socks5]\nUsername = me\nPassword = hunter2\n", "test.conf"
    )
    shown = repr(config) + str(config) + config.interface.model_dump_json()
    for secret in (OWN_KEY, PRESHARED_KEY, "hunter2"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("address", "dns", "tunnel", "known"),
    [
        ("10.8.0.2/24, fd00::2/64", "10.8.0.1, fd00::1, 9.9.9.9", "", ["10.8.0.1", "fd00::1"]),
        ("10.8.0.2/32", "10.8.0.1", "", []),
        ("10.8.0.2/32", "9.9.9.9", "ServerAddress = 10.8.0.1", ["10.8.0.1"]),
        ("10.8.0.2/24", "10.8.0.1", "ServerAddress = 10.8.0.9", ["10.8.0.9"]),
    ],
)
def test_the_servers_own_address_is_what_is_said_or_whom_a_client_asks_for_names(address, dns, tunnel, known):
    interface = f"[Interface]\nPrivateKey = {OWN_KEY}\nAddress = {address}\nDNS = {dns}\n"
    config = parse(f"{interface}{PEER}\n[Tunnel]\n{tunnel}\n", "test.conf")
    assert [str(found) for found in config.server_addresses] == known


def test_a_server_has_no_server():
    assert parse(SERVER, "test.conf").server_addresses == ()
