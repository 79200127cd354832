"""Both ends held against each other: what must be the same, and who must know whom."""

import pytest

from awgproxy import _native
from awgproxy.config import parse
from awgproxy.config.lint import compare

from .texts import OTHER_KEY, PRESHARED_KEY

SERVER_KEY, CLIENT_KEY = _native.generate_private_key(), _native.generate_private_key()
PARAMETERS = """\
S1 = 30
S2 = 41
S3 = 52
S4 = 16
H1 = 100-200
H4 = 300
HeaderProtectionKey = /UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=
RandomTrailers = true
"""
SERVER = f"""\
[Interface]
PrivateKey = {SERVER_KEY}
Address = 10.8.0.1/24
ListenPort = 51820, 20000-20100
MTU = 1280
{PARAMETERS}[Server]
[Peer]
PublicKey = {_native.public_key(CLIENT_KEY)}
PresharedKey = {PRESHARED_KEY}
AllowedIPs = 10.8.0.2/32, fd00::2/128
"""
CLIENT = f"""\
[Interface]
PrivateKey = {CLIENT_KEY}
Address = 10.8.0.2/32
Address = fd00::2/128
MTU = 1280
{PARAMETERS}[Peer]
PublicKey = {_native.public_key(SERVER_KEY)}
PresharedKey = {PRESHARED_KEY}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = vpn.example.org:51820
"""
PHONES = """\
[Obfuscation phones]
ListenPort = 4000-4010
S1 = 12
S4 = 13
"""
AT_PHONES = CLIENT.replace(PARAMETERS, "S1 = 12\nS4 = 13\n").replace("51820", "4000")


def compared(client=CLIENT, server=SERVER):
    """Each finding as (file, line, key, message), and whether it is an error."""
    ends = [parse(client, "client.conf"), parse(server, "server.conf")]
    found = compare(*ends)
    assert compare(*reversed(ends)) == found
    for problem in found:
        assert not any(key in str(problem) for key in (SERVER_KEY, CLIENT_KEY, PRESHARED_KEY))
    return [(problem.file, problem.line, problem.key, problem.message, problem.grave) for problem in found]


@pytest.mark.parametrize(
    "server",
    [
        SERVER,
        SERVER.replace("S1 = 30", "S1 = 030"),
        SERVER.replace("H4 = 300", "H4 = 300-300\nH2 = 2"),
        SERVER.replace("= true", "= 1"),
        SERVER + PHONES,
        SERVER.replace(
            "MTU = 1280\n", "Jc = 5\nJmin = 8\nJmax = 9\nContentPaddingAddition = 5\nRekeyAfterTime = 9-10\n"
        ),
    ],
)
def test_ends_that_fit(server):
    assert compared(server=server) == []


@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S4", "H1", "H4", "HeaderProtectionKey", "RandomTrailers"])
def test_a_parameter_that_differs(name):
    values = {"H1": "100-201", "RandomTrailers": "0", "HeaderProtectionKey": OTHER_KEY}
    line = next(number for number, line in enumerate(CLIENT.splitlines(), 1) if line.startswith(name))
    theirs = "\n".join(
        f"{name} = {values.get(name, '99')}" if each.startswith(name) else each for each in SERVER.splitlines()
    )
    ((file, where, key, message, grave),) = compared(server=theirs)
    assert (file, where, key, grave) == ("client.conf", line, name, True)
    assert f"server.conf:{line}" in message


@pytest.mark.parametrize(
    ("name", "value"), [("S2", "0"), ("H4", "4"), ("RandomTrailers", "false"), ("HeaderProtectionKey", None)]
)
def test_a_parameter_of_one_end_only(name, value):
    without = "\n".join(line for line in CLIENT.splitlines() if not line.startswith(name))
    without = without if name != "S2" else without.replace("HeaderProtectionKey", "#")
    found = [each for each in compared(without) if each[2] == name]
    ((file, line, _, message, grave),) = found
    assert (file, line, grave) == ("client.conf", 1, True)
    assert value is None or f"is {value}, and" in message
    assert "server.conf:" in message


def test_a_public_key_that_is_not_the_others():
    found = compared(CLIENT.replace(_native.public_key(SERVER_KEY), OTHER_KEY))
    assert [(file, line, key, grave) for file, line, key, _, grave in found] == [("client.conf", 15, "PublicKey", True)]
    found = compared(server=SERVER.replace(_native.public_key(CLIENT_KEY), OTHER_KEY))
    assert [(file, line, key, grave) for file, line, key, _, grave in found] == [("server.conf", 16, "PublicKey", True)]


def test_a_server_that_does_not_know_the_client_among_its_peers():
    second = f"[Peer]\nPublicKey = {_native.public_key(_native.generate_private_key())}\nAllowedIPs = 10.8.0.9\n"
    server = SERVER.replace(_native.public_key(CLIENT_KEY), OTHER_KEY) + second
    ((file, line, key, message, _),) = compared(server=server)
    assert (file, line, key) == ("server.conf", None, "PublicKey")
    assert message.startswith("of no peer")


@pytest.mark.parametrize("theirs", ["", f"PresharedKey = {OTHER_KEY}\n"])
def test_another_preshared_key(theirs):
    ((_, line, key, message, grave),) = compared(server=SERVER.replace(f"PresharedKey = {PRESHARED_KEY}\n", theirs))
    assert (line, key, grave) == (16, "PresharedKey", True)
    assert "server.conf:" in message


def test_an_address_that_the_server_does_not_give_the_client():
    ((_, line, key, message, grave),) = compared(server=SERVER.replace(", fd00::2/128", ""))
    assert (line, key, grave) == (4, "Address", True)
    assert "fd00::2 is not in server.conf:18" in message


def test_a_set_of_parameters_is_that_of_the_port_which_is_dialled():
    assert compared(AT_PHONES, SERVER + PHONES) == []
    assert {key for _, _, key, _, _ in compared(AT_PHONES.replace(":4000", ":51820"), SERVER + PHONES)} > {"S1", "S4"}
    assert compared(AT_PHONES.replace(":4000", ":4000-4010"), SERVER + PHONES) == []


def test_a_port_that_no_set_has():
    ((_, line, key, message, grave),) = compared(AT_PHONES.replace(":4000", ":443"), SERVER + PHONES)
    assert (line, key, grave) == (12, "Endpoint", False)
    assert "443 is not in any ListenPort" in message
    ((_, _, key, message, grave),) = compared(AT_PHONES.replace(":4000", ":4000-4020"), SERVER + PHONES)
    assert (key, grave) == ("Endpoint", False)
    assert "10 of its ports, such as 4011" in message


def test_a_range_over_two_sets():
    found = compared(AT_PHONES.replace(":4000", ":4000-20000"), SERVER + PHONES)
    assert any(
        key == "Endpoint" and grave and "[Interface] and [Obfuscation phones]" in message
        for *_, key, message, grave in found
    )


def test_another_mtu_is_warned_of():
    ((_, line, key, message, grave),) = compared(server=SERVER.replace("MTU = 1280", "MTU = 1281"))
    assert (line, key, grave) == (5, "MTU", False)
    assert "1281 in server.conf:5" in message


def test_endpoints_of_one_peer_are_judged_each_by_itself():
    server = SERVER + PHONES
    two = CLIENT.replace(
        "vpn.example.org:51820", "vpn.example.org:51820, 192.0.2.1:20000-20010\nEndpoint = 192.0.2.1:9"
    )
    assert compared(two, server) == [
        ("client.conf", 19, "Endpoint", "9 is not in any ListenPort of server.conf", False),
    ]
    ((_, line, key, message, grave),) = compared(CLIENT.replace(":51820", ":51820, 192.0.2.1:4000"), server)
    assert (line, key, grave) == (18, "Endpoint", True)
    assert message == "51820 and 4000 are ports of [Interface] and [Obfuscation phones], which speak differently"
