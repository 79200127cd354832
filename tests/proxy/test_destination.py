"""What counts as an address, and what as a name."""

import pytest

from awgproxy.proxy.destination import Destination, destination_of, is_address


@pytest.mark.parametrize("host", ["192.0.2.1", "::", "2001:db8::1"])
def test_addresses(host):
    assert is_address(host)
    assert destination_of(host.encode(), 80) == Destination(host, 80, is_name=False)


@pytest.mark.parametrize("host", ["name.example", "a:b", "192.0.2", "192.0.2.256", "[::1]", "1", "::1 ", "\0"])
def test_what_is_no_address(host):
    assert not is_address(host)


@pytest.mark.parametrize("host", ["fe80::1%eth0", "fe80::1%1", "fe80::1%25eth0", "192.0.2.1%1"])
def test_an_address_with_a_zone_is_none(host):
    assert not is_address(host)


@pytest.mark.parametrize("host", ["fe80::1%eth0", "[fe80::1%1]"])
def test_nobody_is_connected_to_a_zone(host):
    assert destination_of(host.encode(), 80) is None


@pytest.mark.parametrize("host", ["", "a b", "a\tb", "a\x7f", "\xe9"])
def test_a_name_is_visible_ascii(host):
    assert destination_of(host.encode("latin-1"), 80) is None
