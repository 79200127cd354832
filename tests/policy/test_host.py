"""The machine's own addresses."""

import socket
import sys
from ipaddress import ip_address

import pytest

from awgproxy.policy import host, host_addresses


def test_every_address_found_is_this_machines():
    found = [address for address in host_addresses() if not address.is_link_local]  # those need an interface's name
    if not found:
        pytest.skip("this machine has no address beside loopback")
    for address in found:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_linux_lists_all_but_loopback(tmp_path, monkeypatch):
    table = tmp_path / "fib_trie"
    table.write_text(
        "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 203.0.113.0/24 2 0 2\n"
        "        |-- 203.0.113.0\n           /24 link UNICAST\n        |-- 203.0.113.7\n           /32 host LOCAL\n"
        "        |-- 203.0.113.255\n           /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n"
    )
    other = tmp_path / "if_inet6"
    other.write_text(
        "20010db8000000000000000000000005 02 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    monkeypatch.setattr(host, "_IPV4_TABLE", table)
    monkeypatch.setattr(host, "_IPV6_TABLE", other)
    monkeypatch.setattr(host, "_OUTSIDE", ())
    assert set(host_addresses()) == {ip_address("203.0.113.7"), ip_address("2001:db8::5")}


def test_tables_that_are_absent_or_strange(tmp_path, monkeypatch):
    strange = tmp_path / "strange"
    strange.write_text("x y z\n\n")
    monkeypatch.setattr(host, "_IPV4_TABLE", tmp_path / "absent")
    monkeypatch.setattr(host, "_IPV6_TABLE", strange)
    monkeypatch.setattr(host, "_OUTSIDE", ())
    assert host_addresses() == []
