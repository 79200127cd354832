"""New configurations: sound, matching, and never alike."""

import random
import re
import stat
from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest

from awgproxy import _native
from awgproxy.config import parse
from awgproxy.config.generate import Plan, Profile, Signature, generate, write_new
from awgproxy.config.generate.parameters import random_parameters
from awgproxy.config.lint import check, compare
from awgproxy.config.path import Path
from awgproxy.config.shape import Shape
from awgproxy.config.values import InvalidValue

SEEDS = range(60)
OBFUSCATED = [Profile.AWG2, Profile.AWG3]
LEFT_BY_2_0 = {"HeaderProtectionKey", "DisableCookies", "RekeyAfterTime"}


def faults(text, path, profile=Profile.AWG2):
    """The keys that are found fault with, beside what AmneziaWG 2.0 cannot help."""
    left = LEFT_BY_2_0 if profile is Profile.AWG2 else set()
    return [problem.key for problem in check(parse(text, "new.conf"), path) if problem.key not in left]


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("profile", OBFUSCATED)
def test_nothing_is_found_fault_with(profile, ipv6):
    for seed in SEEDS:
        generated = generate(Plan("vpn.example.org", path_mtu=1500, profile=profile), random.Random(seed))
        for text in (generated.server, *generated.clients):
            assert faults(text, Path(1500, ipv6), profile) == []
        server, client = (parse(text, "new.conf") for text in (generated.server, generated.clients[0]))
        assert compare(server, client) == []


@pytest.mark.parametrize("path_mtu", [1400, 1492, 9000])
@pytest.mark.parametrize("profile", OBFUSCATED)
def test_the_mtu_fits_the_servers_network_over_ipv6(profile, path_mtu):
    for seed in SEEDS:
        plan = Plan("vpn.example.org", path_mtu=path_mtu, profile=profile)
        generated = generate(plan, random.Random(seed))
        config = parse(generated.clients[0], "new.conf")
        s4 = int(dict(config.obfuscation)["S4"])
        assert config.mtu == min(path_mtu, 1500) - 40 - 8 - 32 - s4


@pytest.mark.parametrize("profile", OBFUSCATED)
def test_parameters_are_within_what_the_apps_recommend(profile):
    for seed in SEEDS:
        settings = random_parameters(profile, random.Random(seed))
        junk = {name: int(value) for name, value in settings if name.startswith("J")}
        assert 4 <= junk["Jc"] <= 12
        assert 0 < junk["Jmin"] < junk["Jmax"] <= 1280
        shape = Shape.of(settings)
        assert len(set(shape.paddings)) == 4
        assert all(padding >= 12 for padding in shape.paddings)
        ranges = sorted((header.first, header.last) for header in shape.headers)
        assert ranges[0][0] >= 5
        assert ranges[-1][1] < 1 << 31
        assert all(before[1] < after[0] for before, after in pairwise(ranges))


def test_no_stranger_is_answered_by_more_than_it_sent():
    for seed in range(300):
        settings = dict(random_parameters(Profile.AWG2, random.Random(seed)))
        cookie = 64 + int(settings["S3"])
        assert cookie <= 148 + int(settings["S1"])
        assert cookie <= 92 + int(settings["S2"])


@pytest.mark.parametrize("profile", OBFUSCATED)
def test_two_runs_share_no_constant(profile):
    """Of 60 runs no number, key, port or network is the same in all; and I1 has no opening that all share."""
    runs = [generate(Plan("vpn.example.org", path_mtu=1500, profile=profile)) for _ in SEEDS]
    shared = {"AllowedIPs", "Endpoint", "RandomTrailers", "DisableCookies"}
    for texts in ([run.server for run in runs], [run.clients[0] for run in runs]):
        settings = [dict(re.findall(r"^(\w+) = (.+)$", text, re.MULTILINE)) for text in texts]
        for key in settings[0].keys() - shared:
            assert len({each[key] for each in settings}) > 1, key
        unique = {"PrivateKey", "PresharedKey", "H1", "H2", "H3", "H4", "HeaderProtectionKey"}
        for key in unique & settings[0].keys():
            assert len({each[key] for each in settings}) == len(runs), key
        assert len({each["I1"][:8] for each in settings}) > 1


def test_what_is_asked_for():
    plan = Plan(
        "2001:db8::5",
        port=443,
        listen_port=8443,
        networks=[ip_network("10.77.0.0/24"), ip_network("fd77::/64")],
        dns=[ip_address("9.9.9.9")],
        clients=2,
        path_mtu=1300,
    )
    generated = generate(plan)
    server = parse(generated.server, "server.conf")
    assert server.interface.listen_port == 8443
    assert [str(address) for address in server.interface.addresses] == ["10.77.0.1/24", "fd77::1/64"]
    assert [[str(network) for network in peer.allowed_ips] for peer in server.peers] == [
        ["10.77.0.2/32", "fd77::2/128"],
        ["10.77.0.3/32", "fd77::3/128"],
    ]
    assert server.server.dns == (ip_address("9.9.9.9"),)
    assert server.mtu == 1280
    client = parse(generated.clients[1], "client.conf")
    assert [str(address) for address in client.interface.addresses] == ["10.77.0.3/32", "fd77::3/128"]
    assert [str(address) for address in client.interface.dns] == ["10.77.0.1", "fd77::1"]
    assert str(client.peers[0].endpoints[0]) == "[2001:db8::5]:443"
    assert client.peers[0].public_key == _native.public_key(server.interface.private_key.get_secret_value())


def test_the_client_file_has_only_what_amneziawg_apps_take():
    text = generate(Plan("vpn.example.org")).clients[0]
    assert re.findall(r"^\[(\w+)\]$", text, re.MULTILINE) == ["Interface", "Peer"]


@pytest.mark.parametrize(
    ("network", "clients"), [("10.0.0.0/30", 2), ("10.0.0.0/32", 1), ("fd00::/126", 3), ("10.0.0.0/8", 251)]
)
def test_more_clients_than_there_is_room_for(network, clients):
    with pytest.raises(InvalidValue):
        generate(Plan("a", networks=[ip_network(network)], clients=clients))


def test_new_files_are_their_owners_alone(tmp_path):
    files = {tmp_path / "a": "one", tmp_path / "b": "two"}
    write_new(files)
    assert {path: path.read_text() for path in files} == files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_an_existing_file_is_left_alone_and_none_is_written(tmp_path):
    (tmp_path / "b").write_text("old")
    with pytest.raises(FileExistsError):
        write_new({tmp_path / "a": "one", tmp_path / "b": "two", tmp_path / "c": "three"})
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_text() == "old"


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="exist"):
        write_new({tmp_path / "a": "one"})
    assert not (tmp_path / "elsewhere").exists()


def test_a_text_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_new({tmp_path / "a": "one", tmp_path / "b": "\udc80"})
    assert list(tmp_path.iterdir()) == []


def values_of(text):
    return dict(re.findall(r"^(\w+) = (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("signature", [each for each in Signature if each is not Signature.NONE])
def test_the_signature_that_is_asked_for(signature):
    generated = generate(Plan("vpn.example.org", path_mtu=1500, signature=signature))
    for text in (generated.server, generated.clients[0]):
        assert faults(text, Path(1500, ipv6=True)) == []
        assert "I1" in values_of(text)
    assert bool(generated.doubt) is (signature in {Signature.DNS, Signature.NTP})


def test_no_signature():
    generated = generate(Plan("vpn.example.org", path_mtu=1500, signature=Signature.NONE))
    assert "I1" not in values_of(generated.server)


def test_a_quic_initial_needs_its_path():
    with pytest.raises(InvalidValue, match="1247"):
        generate(Plan("vpn.example.org", path_mtu=1247, signature=Signature.QUIC))
    generated = generate(Plan("vpn.example.org", path_mtu=1280, signature=Signature.QUIC))
    assert faults(generated.clients[0], Path(1280, ipv6=True)) == ["MTU"]


def test_plain_wireguard_has_no_parameters():
    plan = Plan("vpn.example.org", path_mtu=1500, profile=Profile.PLAIN)
    for text in (generate(plan).server, generate(plan).clients[0]):
        assert faults(text, Path(1500, ipv6=True)) == []
        assert not values_of(text).keys() & {"Jc", "S1", "H1", "I1"}
    with pytest.raises(InvalidValue, match="quic"):
        generate(Plan("vpn.example.org", profile=Profile.PLAIN, signature=Signature.QUIC))


def test_version_3_is_sound():
    """What the two ends need of each other's times, and of headers where every datagram could be a handshake."""
    for seed in range(300):
        settings = dict(random_parameters(Profile.AWG3, random.Random(seed)))
        times = {name: tuple(map(int, value.split("-"))) for name, value in settings.items() if "Time" in name}
        renewed, refused, silent = (times[name] for name in ("RekeyAfterTime", "RejectAfterTime", "KeepaliveTimeout"))
        retried = times["RekeyTimeout"]
        assert renewed[1] + silent[1] + retried[1] < refused[0]
        assert all(least < most for least, most in times.values())
        assert renewed[0] not in range(115, 125)
        assert all("-" not in settings[name] for name in ("H1", "H2", "H3", "H4"))
        least, most = map(int, settings["ContentPaddingAddition"].split("-"))
        assert most - least >= 63
        assert all(int(settings[name]) >= 12 for name in ("S1", "S2", "S3", "S4"))


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("signature", [each for each in Signature if each is not Signature.NONE])
def test_a_clients_file_fits_a_qr_code(profile, signature):
    if profile is Profile.PLAIN:
        signature = None
    for seed in range(20):
        plan = Plan("a-rather-long-name.example.org", path_mtu=1500, profile=profile, signature=signature)
        assert len(generate(plan, random.Random(seed)).clients[0]) <= 2_953
