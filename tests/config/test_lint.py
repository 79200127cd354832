"""What works and is warned of, and what passes without a word."""

import pytest

from awgproxy.config import Role, parse
from awgproxy.config.lint import check
from awgproxy.config.path import Path

from .texts import CLIENT, INTERFACE, OTHER_KEY, PEER, SERVER

PATH = Path(1500, ipv6=False)

SOUND = """\
Jc = 6
Jmin = 50
Jmax = 400
S1 = 30
S2 = 41
S3 = 52
S4 = 16
H1 = 100000000-200000000
H2 = 300000000-400000000
H3 = 500000000-600000000
H4 = 700000000-800000000
I1 = <b 0x000100002112a442><r 12>
"""
"""Sound as far as AmneziaWG 2.0 goes."""

HEADER_KEY = "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak="
SOUND_3 = f"""\
{SOUND}HeaderProtectionKey = {HEADER_KEY}
ContentPaddingAddition = 0-40
DisableCookies = true
RekeyAfterTime = 75-115
"""


def warnings(text, path=PATH):
    return [(warning.line, warning.key, warning.what) for warning in check(parse(text, "test.conf"), path)]


def with_parameters(**changed):
    """The sound client with parameters changed, or left out where None."""
    lines = [line for line in SOUND_3.splitlines() if line.split(" ")[0] not in changed]
    lines += [f"{key} = {value}" for key, value in changed.items() if value is not None]
    return INTERFACE + "\n".join(lines) + "\n" + PEER


@pytest.mark.parametrize(
    "text",
    [
        CLIENT,
        SERVER,
        INTERFACE + SOUND_3 + PEER,
        SERVER.replace("[Server]", SOUND_3.replace("RekeyAfterTime = 75-115\n", "") + "[Server]"),
        SERVER + "[Obfuscation phones]\nListenPort = 5\n" + SOUND_3,
    ],
)
def test_what_passes_without_a_word(text):
    assert warnings(text) == []


def keys(text):
    return [key for _, key, _ in warnings(text)]


def test_what_2_0_leaves_open_at_either_end():
    assert keys(INTERFACE + SOUND + PEER) == ["HeaderProtectionKey", "RekeyAfterTime"]
    assert keys(SERVER.replace("[Server]", SOUND + "[Server]")) == ["HeaderProtectionKey", "DisableCookies"]


@pytest.mark.parametrize(
    ("changed", "key", "words"),
    [
        ({"Jc": "3"}, "Jc", "4 to 12"),
        ({"Jc": "13"}, "Jc", "4 to 12"),
        ({"Jc": "0"}, "Jc", "4 to 12"),
        ({"Jc": "4", "I1": None}, "Jc", "without I1"),
        ({"H2": None, "HeaderProtectionKey": None}, "H2", "plain WireGuard"),
        ({"H1": "4-9", "HeaderProtectionKey": None}, "H1", "plain WireGuard"),
        ({"HeaderProtectionKey": None}, "HeaderProtectionKey", "counter"),
        ({"HeaderProtectionKey": "0"}, "HeaderProtectionKey", "counter"),
        ({"ContentPaddingAddition": None}, "ContentPaddingAddition", "16 bytes apart"),
        ({"ContentPaddingAddition": "0-0"}, "ContentPaddingAddition", "16 bytes apart"),
        ({"RekeyAfterTime": None}, "RekeyAfterTime", "120 s exactly"),
        ({"RekeyAfterTime": "97"}, "RekeyAfterTime", "every 97 s"),
        ({"RekeyAfterTime": "115-125"}, "RekeyAfterTime", "every 115-125 s"),
        ({"RekeyAfterTime": "120-900"}, "RekeyAfterTime", "begins at 120 s"),
        ({"S2": "30"}, "S2", "56 bytes"),
        ({"S2": "86"}, "S2", "178 bytes, as S1"),
        ({"S3": "114"}, "S3", "178 bytes, as S1"),
        ({"S3": "69"}, "S3", "133 bytes, as S2"),
        ({"S1": "28", "ContentPaddingAddition": None}, "S1", "hit by chance"),
        ({"S2": "36", "ContentPaddingAddition": None}, "S2", "hit by chance"),
        ({"S3": "48", "ContentPaddingAddition": None}, "S3", "hit by chance"),
        ({"I1": "<b 0xc0ffee>"}, "I1", "same bytes"),
        ({"I1": "<b 0xc700000001><rc 8> <t> <r 100>"}, "I1", "published"),
        ({"I1": "<b 0xc300000001><r 1194>"}, "I1", "1199 bytes"),
        ({"I2": "<b 0xd36b3343cf08><r 100>"}, "I2", "QUIC Initial"),
    ],
)
def test_what_is_warned_of(changed, key, words):
    found = warnings(with_parameters(**changed))
    assert key in [name for _, name, _ in found], found
    line = next(line for line, name, what in found if name == key and words in what)
    text = with_parameters(**changed).splitlines()
    expected = key if any(each.startswith(f"{key} =") for each in text) else "[Interface]"
    assert text[line - 1].startswith(expected)


@pytest.mark.parametrize(
    "changed",
    [
        {"Jc": "4"},
        {"Jc": "5", "I1": None},
        {"S3": "16"},  # as S4: the word looked at is data's own type
        {"S1": "28", "H1": "100000000"},  # met by size, and never by word
        {"I1": "<b 0xc300000001><r 1195>"},
        {"I1": "<b 0xc0><r 4>"},
        {"H2": None},  # the word is hidden
        {"S1": "28"},  # data has every size, so no padding avoids it
        {"ContentPaddingAddition": None, "RandomTrailers": "true", "H1": "5", "H2": "6", "H3": "7"},
        {"RandomTrailers": "true", "S1": "16", "S2": "16", "S3": "16"},  # the word looked at is each one's own type
        {"RandomTrailers": "t", "S2": "86", "H1": "5", "H2": "6", "H3": "7"},  # sizes that no message has
        {"RekeyAfterTime": "90-150"},
    ],
)
def test_what_comes_near_and_is_not_warned_of(changed):
    assert warnings(with_parameters(**changed)) == []


def test_a_responder_needs_no_junk():
    server = SERVER.replace("[Server]", SOUND_3.replace("Jc = 6\n", "") + "[Server]")
    assert warnings(server) == []


@pytest.mark.parametrize(
    ("mtu", "ipv6", "warned"),
    [(1440, False, False), (1441, False, True), (1420, True, False), (1421, True, True)],
)
def test_the_mtu_that_fits_the_path(mtu, ipv6, warned):
    text = CLIENT.replace("MTU = 1280", f"MTU = {mtu}")
    assert [key for _, key, _ in warnings(text, Path(1500, ipv6))] == ["MTU"] * warned


def test_s4_takes_its_part_of_the_mtu():
    text = with_parameters().replace("MTU = 1280", "MTU = 1425")
    ((line, key, what),) = warnings(text)
    assert (line, key) == (5, "MTU")
    assert "set 1424 or less" in what


@pytest.mark.parametrize(
    ("changed", "key"),
    [({"Jmax": "1473"}, "Jmax"), ({"S1": "1325"}, "S1"), ({"S2": "1381"}, "S2"), ({"S3": "1410"}, "S3")],
)
def test_datagrams_above_the_path(changed, key):
    assert key in [name for _, name, _ in warnings(with_parameters(**changed))]


def test_a_signature_above_the_path():
    assert [key for _, key, _ in warnings(with_parameters(I3="<r 1000><r 473>"))] == ["I3"]
    assert warnings(with_parameters(I3="<r 1000><r 472>")) == []


@pytest.mark.parametrize("tag", ["<d>", "<ds>", "<dz 2>"])
def test_tags_that_carry_data(tag):
    assert [key for _, key, _ in warnings(with_parameters(I2=f"<r 20>{tag}"))] == ["I2"]


def test_a_fixed_keepalive_gives_an_obfuscated_tunnel_away():
    assert warnings(CLIENT + "PersistentKeepalive = 25\n") == []
    ((line, key, _),) = warnings(with_parameters() + "PersistentKeepalive = 25\n")
    assert (line, key) == (26, "PersistentKeepalive")


def test_names_that_cannot_be_asked_for():
    ((line, key, what),) = warnings(CLIENT.replace("DNS = 10.8.0.1\n", ""))
    assert (line, key) == (1, "DNS")
    assert "by name" in what
    ((line, key, what),) = warnings(CLIENT.replace("0.0.0.0/0, ::/0", "192.0.2.0/24"))
    assert (line, key) == (4, "DNS")
    assert "10.8.0.1" in what


def test_a_dns_server_that_the_tunnels_addresses_cannot_reach():
    ((line, key, what),) = warnings(CLIENT.replace("DNS = 10.8.0.1", "DNS = lan.example, 10.8.0.1\nDNS = fd00::1"))[1:]
    assert (line, key) == (5, "DNS")
    assert "fd00::1 cannot be reached: Address has no IPv6" in what
    assert warnings(CLIENT.replace("10.8.0.2/32", "10.8.0.2/32, fd00::2").replace("DNS = ", "DNS = fd00::1, ")) == []


def test_addresses_in_the_wrong_place():
    assert [line for line, _, _ in warnings(SERVER.replace("10.8.0.2/32", "10.8.0.1/32"))] == [9]
    assert [line for line, _, _ in warnings(SERVER.replace("10.8.0.2/32", "10.8.0.2/32\nAllowedIPs = ::/0"))] == [10]
    assert [line for line, _, _ in warnings(SERVER.replace("[Server]", "[Server]\nDNS = 10.8.0.1"))] == [7]


def test_data_that_is_taken_for_handshakes_is_an_error_that_stops_nothing():
    config = parse(with_parameters(RandomTrailers="true"), "test.conf")
    (found,) = check(config, PATH)
    assert (found.key, found.grave) == ("RandomTrailers", True)
    assert "S1 to S4 equal" in found.suggestion


def test_keepalives_that_cannot_be_bare():
    ((_, key, what),) = warnings(with_parameters() + "[Tunnel]\nKeepalivePadding = reference\n")
    assert key == "KeepalivePadding"
    assert "no effect" in what


@pytest.mark.parametrize(("every", "warned"), [("25", True), ("20-30", True), ("20-45", False), ("600-900", False)])
def test_a_persistent_keepalive(every, warned):
    found = warnings(with_parameters() + f"PersistentKeepalive = {every}\n")
    assert [key for _, key, _ in found] == ["PersistentKeepalive"] * warned
    assert warnings(CLIENT + f"PersistentKeepalive = {every}\n") == []


def test_hopping_without_a_range():
    hopping = "[Tunnel]\nPortHop = 30-90\n"
    ((line, key, what),) = warnings(CLIENT + hopping)
    assert (line, key) == (11, "PortHop")
    assert "range of ports" in what
    assert warnings(CLIENT.replace("51820", "20000-20100") + hopping) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SERVER + "[Tunnel]\nServerAddress = 10.8.0.1\n", "at a server"),
        (CLIENT + "[Tunnel]\nRecovery = reference\nServerAddress = 10.8.0.1\n", "Recovery = reference"),
        (CLIENT.replace("0.0.0.0/0", "10.9.0.0/16") + "[Tunnel]\nServerAddress = 10.8.0.1\n", "cannot be reached"),
    ],
)
def test_an_address_of_the_server_that_is_for_nothing(text, what):
    found = [message for _, key, message in warnings(text) if key == "ServerAddress"]
    assert len(found) == 1
    assert what in found[0]


def test_an_address_of_the_server_that_can_be_reached():
    found = warnings(CLIENT + "[Tunnel]\nServerAddress = 10.8.0.1\n")
    assert [key for _, key, _ in found if key == "ServerAddress"] == []


@pytest.mark.parametrize("workers", ["1", "auto", "2", "3"])
def test_workers_without_peers(workers):
    other = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n"
    found = warnings(SERVER + other + f"[Tunnel]\nWorkers = {workers}\n")
    assert [key for _, key, _ in found] == ["Workers"] * (workers == "3")


@pytest.mark.parametrize("workers", ["1", "auto", "2"])
def test_workers_that_part_a_clients_peers(workers):
    other = f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.9.0.0/16\nEndpoint = 192.0.2.9:51820\n"
    client = CLIENT.replace("0.0.0.0/0", "10.8.0.0/16")
    found = [what for _, key, what in warnings(client + other + f"[Tunnel]\nWorkers = {workers}\n") if key == "Workers"]
    assert ["UDP" in what for what in found] == [True] * (workers != "1")


def test_each_set_of_parameters_is_looked_at():
    phones = "[Obfuscation phones]\nListenPort = 5\n"
    found = warnings(SERVER + phones + SOUND_3.replace("S2 = 41", "S2 = 30"))
    assert [(line, key) for line, key, _ in found] == [(16, "S2")]
    assert found[0][2].startswith("[Obfuscation phones] S2: equals S1")
    ((line, key, what),) = warnings(SERVER.replace("MTU = 1280", "MTU = 1430") + phones + SOUND_3)
    assert (line, key) == (5, "MTU")
    assert "1424" in what


def test_the_parsers_warnings_come_along_in_order():
    found = warnings(INTERFACE.replace("MTU = 1280", "PostUp = x\nMTU = 1441") + PEER)
    assert [(line, key) for line, key, _ in found] == [(5, "PostUp"), (6, "MTU")]


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        (CLIENT + "[Server]\nDeny = 10.0.0.0/8\n", 11, "Deny", "no effect at a client; what a client's"),
        (CLIENT + "[Client]\nAllow = 10.0.0.0/8\n", 11, "Allow", "exceptions from Deny"),
        (CLIENT + "[Client]\nAllowPorts = 80\nDeny = 10.0.0.0/8\n", 11, "AllowPorts", "exceptions from DenyPorts"),
    ],
)
def test_rules_without_effect(text, line, key, words):
    found = [(one.line, one.key, one.what) for one in check(parse(text, "test.conf", Role.CLIENT), PATH)]
    assert [one[:2] for one in found] == [(line, key)]
    assert words in found[0][2]
