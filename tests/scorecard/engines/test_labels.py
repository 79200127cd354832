import pytest

from scorecard.engines.labels import is_tunnel


@pytest.mark.parametrize("label", ["WireGuard", "WireGuard.Amazon", "OpenVPN", "CiscoVPN", "IPSec", "Tor"])
def test_tunnels(label):
    assert is_tunnel(label)


@pytest.mark.parametrize("label", ["Unknown", "RTP", "STUN.GoogleMeet", "DTLS", "Monitor"])
def test_what_is_none(label):
    assert not is_tunnel(label)
