"""Settings: what is malformed is refused with its argument's name, and no key is ever shown."""

import pytest

from awgproxy import _native
from awgproxy._native import Engine, EngineSettings, Limits, PeerSettings

PRIVATE = _native.generate_private_key()
PUBLIC = _native.public_key(PRIVATE)
OTHER = _native.public_key(_native.generate_private_key())
PRESHARED = _native.generate_preshared_key()


def settings(**changes):
    return EngineSettings(**({"private_key": PRIVATE, "addresses": ["10.8.0.1"]} | changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"private_key": "short"}, "^private_key: a key has 44"),
        ({"addresses": ["10.8.0.1", "10.8.0.1/24"]}, r"^addresses\[1\]: not an IP address"),
        ({"obfuscation": [("S1", "x"), ("Jmin", "90"), ("Jmax", "80")]}, "^obfuscation: S1.*Jmin"),
        ({"mtu": 70_000}, "^mtu: out of range"),
        ({"mtu": -1}, "^mtu: out of range"),
        ({"listen_address": "localhost"}, "^listen_address: not an IP address"),
        ({"listen_ports": [51820, 65_536]}, r"^listen_ports\[1\]: out of range, 0 to 65535"),
        ({"listen_ports": [1 << 100]}, r"^listen_ports\[0\]: out of range"),
        ({"further_obfuscation": [([], [5]), ([("S1", "x")], [6])]}, r"^further_obfuscation\[1\]: S1"),
        ({"further_obfuscation": [([], [5, 1 << 16])]}, r"^further_obfuscation\[0\]: ports\[1\]: out of range"),
        ({"udp": "fast"}, "^udp: .*batched"),
        ({"fwmark": 1 << 32}, "^fwmark: out of range"),
        ({"workers": 0}, "^workers: out of range, 1 to 64"),
        ({"workers": 65}, "^workers: out of range, 1 to 64"),
    ],
)
def test_a_malformed_setting_is_named(changes, problem):
    with pytest.raises(ValueError, match=problem):
        settings(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"public_key": PUBLIC[:-1]}, "^public_key: a key has 44"),
        ({"preshared_key": "A" * 44}, "^preshared_key: this is not base64"),
        ({"endpoint": ("server.example.org", 51820)}, "^endpoint: not an IP address"),
        ({"endpoint": ("192.0.2.1", 70_000)}, "^endpoint: port: out of range"),
        ({"allowed_ips": ["10.8.0.0/24", "all"]}, r"^allowed_ips\[1\]: not a network"),
        ({"persistent_keepalive": 1 << 32}, "^persistent_keepalive: out of range"),
        ({"persistent_keepalive": (30, 20)}, "^persistent_keepalive: the least"),
        ({"hop": (0, 5, None, None)}, "^hop: port: out of range, 1 to 65535"),
        ({"hop": (6, 5, None, None)}, "^hop: the first port is above the last"),
        ({"hop": (5, 6, 0, 9)}, "^hop: seconds: out of range"),
        ({"hop": (5, 6, 10, 9)}, "^hop: the least seconds are above the most"),
        ({"hop": (5, 6, 10, None)}, "^hop: both"),
        ({"last_timestamp": bytes(11)}, "^last_timestamp: 12 bytes"),
    ],
)
def test_a_malformed_peer_is_told_by_the_argument(changes, problem):
    with pytest.raises(ValueError, match=problem):
        PeerSettings(**({"public_key": PUBLIC} | changes))


@pytest.mark.parametrize("bound", ["flows", "flows_per_peer", "half_open", "buffer_bytes_per_flow"])
def test_a_bound_of_nothing_is_refused(bound):
    with pytest.raises(ValueError, match=f"^{bound}: out of range"):
        Limits(**{bound: 0})
    assert f"{bound}=77" in repr(Limits(**{bound: 77}))


def test_wrong_types_are_type_errors():
    with pytest.raises(TypeError, match="addresses"):
        settings(addresses="10.8.0.1")
    with pytest.raises(TypeError, match="mtu"):
        settings(mtu="1420")


def test_no_text_shows_a_key():
    peer = PeerSettings(OTHER, PRESHARED, ("192.0.2.1", 51820), ["10.8.0.2/32"], 25)
    built = settings(peers=[peer])
    engine = Engine(built)
    texts = [str(thing) + repr(thing) for thing in (peer, built, engine)]
    for key in (PRIVATE, PUBLIC, OTHER, PRESHARED):
        assert all(key not in text for text in texts)
    assert "192.0.2.1:51820" in texts[0]
    assert "10.8.0.1" in texts[1]


def test_a_peer_tells_what_is_no_secret():
    peer = PeerSettings(OTHER, PRESHARED, ("2001:db8::1", 51820))
    assert peer.public_key == OTHER
    assert peer.endpoint == ("2001:db8::1", 51820)
    assert not hasattr(peer, "preshared_key")
    assert PeerSettings(OTHER).endpoint is None


def test_settings_are_immutable():
    with pytest.raises(AttributeError):
        settings().mtu = 1280
    with pytest.raises(AttributeError):
        PeerSettings(OTHER).public_key = PUBLIC
