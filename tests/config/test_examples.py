"""The examples of docs/examples: each is read, without a warning, and the pairs match."""

from pathlib import Path

import pytest

from awgproxy import _native
from awgproxy.config import Role, parse
from awgproxy.config.lint import check, compare
from awgproxy.config.model import AWG_2_KEYS, AWG_3_KEYS
from awgproxy.config.path import Path as NetworkPath

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PAIRS = [
    ("server-minimal.conf", "client-minimal.conf"),
    ("server-minimal.conf", "client-forwards.conf"),
    ("server-full.conf", "client-full.conf"),
    ("server-full.conf", "amneziawg-app.conf"),
    ("server-awg3.conf", "client-awg3.conf"),
]
LEFT_BY_2_0 = {"HeaderProtectionKey", "DisableCookies", "RekeyAfterTime"}
"""What is warned of where nothing of AmneziaWG 3 is used."""


def load(name):
    """An example; its file is for everybody to read, which a real one is not."""
    return parse((EXAMPLES / name).read_text(), name)


@pytest.mark.parametrize("name", sorted(file.name for file in EXAMPLES.iterdir()))
def test_an_example_is_clean_on_narrow_paths_too(name):
    config = load(name)
    assert config.role is (Role.SERVER if name.startswith("server") else Role.CLIENT)
    allowed = LEFT_BY_2_0 if config.file != "client-awg3.conf" else set()
    for path in (NetworkPath(1500, ipv6=True), NetworkPath(1400, ipv6=False)):
        assert {problem.key for problem in check(config, path)} <= allowed


def test_with_awg_3_nothing_is_left_open():
    server = load("server-awg3.conf")
    assert {problem.section for problem in check(server, NetworkPath(1500, ipv6=True))} == {"Obfuscation phones"}


def test_every_example_is_of_a_pair():
    assert {file.name for file in EXAMPLES.iterdir()} == {name for pair in PAIRS for name in pair}


@pytest.mark.parametrize(("server", "client"), PAIRS)
def test_the_ends_match(server, client):
    server, client = load(server), load(client)
    assert compare(client, server) == []
    own = _native.public_key(client.interface.private_key.get_secret_value())
    (theirs,) = [peer for peer in server.peers if peer.public_key == own]
    (ours,) = client.peers
    assert ours.public_key == _native.public_key(server.interface.private_key.get_secret_value())
    assert ours.preshared_key == theirs.preshared_key
    assert ours.endpoints[0].port == server.interface.listen_port
    assert [address.network for address in client.interface.addresses] == list(theirs.allowed_ips)


def test_the_full_examples_show_every_kind_of_parameter():
    shown = {name for name, _ in load("client-full.conf").obfuscation}
    assert shown >= set(AWG_2_KEYS) - {"I3", "I4", "I5"}
    assert {name for name, _ in load("client-awg3.conf").obfuscation} >= set(AWG_3_KEYS)
