"""How much the network carries, by what the system says of each way."""

import pytest

from awgproxy import _native
from awgproxy.config.parse import parse
from awgproxy.config.path import Path, path_to

from .texts import CLIENT

KNOWN = {"192.0.2.1": 1400, "192.0.2.2": 1300, "2001:db8::1": 1480, "203.0.113.1": 1450}


@pytest.fixture(autouse=True)
def system(monkeypatch):
    def path_mtu(address, _):
        if address not in KNOWN:
            raise OSError(101, "Network is unreachable")
        return KNOWN[address]

    monkeypatch.setattr(_native, "path_mtu", path_mtu)


@pytest.mark.parametrize(
    ("endpoints", "path"),
    [
        ("vpn.example.org:1", Path(1450, ipv6=False)),
        ("vpn.example.org:1, 192.0.2.1:1", Path(1400, ipv6=False)),
        ("192.0.2.1:1, 192.0.2.2:1, 192.0.2.9:1", Path(1300, ipv6=False)),
        ("192.0.2.1:1, [2001:db8::1]:1", Path(1400, ipv6=True)),
        ("192.0.2.9:1", Path(1500, ipv6=False)),
    ],
)
def test_the_narrowest_of_all_ways_counts(endpoints, path):
    assert path_to(parse(CLIENT.replace("vpn.example.org:51820", endpoints), "x.conf").peers) == path
