"""Which upstream DNS server a flow gets."""

import os

import pytest
import structlog

from awgproxy.egress import forwarder as forwarder_module
from awgproxy.egress.forwarder import DnsForwarder


class RecordingDialer:
    def __init__(self):
        self.calls = []

    def dial(self, flow, destination):
        self.calls.append(("tcp", flow, destination))

    def connect_datagrams(self, flow, destination):
        self.calls.append(("udp", flow, destination))


@pytest.fixture
def dialer():
    return RecordingDialer()


def test_udp_and_tcp_go_to_the_first_server(dialer):
    forwarder = DnsForwarder(dialer, ["192.0.2.53", "192.0.2.54"])
    assert forwarder.forward(1, "udp")
    assert forwarder.forward(2, "tcp")
    assert dialer.calls == [("udp", 1, ("192.0.2.53", 53)), ("tcp", 2, ("192.0.2.53", 53))]


def test_a_server_that_answers_nothing_is_put_last(dialer):
    forwarder = DnsForwarder(dialer, ["192.0.2.53", "192.0.2.54"])
    for flow in (1, 2):
        forwarder.forward(flow, "udp")
    forwarder.flow_closed(1, received=0)
    forwarder.flow_closed(2, received=0)
    forwarder.forward(3, "udp")
    assert dialer.calls[-1] == ("udp", 3, ("192.0.2.54", 53))


def test_a_server_that_answers_stays(dialer):
    forwarder = DnsForwarder(dialer, ["192.0.2.53", "192.0.2.54"])
    forwarder.forward(1, "udp")
    forwarder.flow_closed(1, received=99)
    forwarder.forward(2, "udp")
    assert dialer.calls[-1][2] == ("192.0.2.53", 53)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The system's file, not written yet."""
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(forwarder_module, "_SYSTEM_FILE", file)
    return file


def test_the_system_servers_are_followed(dialer, system):
    forwarder = DnsForwarder(dialer, [])
    assert not forwarder.forward(1, "udp")
    for number, server in enumerate(("192.0.2.1", "192.0.2.2"), 2):
        system.write_text(f"nameserver {server}\n")
        os.utime(system, ns=(number, number))
        assert forwarder.forward(number, "udp")
        assert dialer.calls[-1][2] == (server, 53)


def test_the_systems_file_is_read_as_others_read_it(dialer, system):
    system.write_text(
        "# nameserver 192.0.2.9\n;nameserver 192.0.2.8\nsearch example.org nameserver\nnameserver\noptions edns0\n"
        "nameserver 192.0.2.1 # the first\n\tnameserver\tfe80::1%lo \r\nnameservers 192.0.2.7"
    )
    assert DnsForwarder(dialer, []).servers == ("192.0.2.1", "fe80::1%lo")


def test_the_system_file_that_comes_back_as_it_was_is_read_again(dialer, system):
    forwarder = DnsForwarder(dialer, [])
    system.write_text("nameserver 192.0.2.1\n")
    assert forwarder.forward(1, "udp")
    away = system.rename(system.with_name("away"))
    assert not forwarder.forward(2, "udp")
    away.rename(system)
    assert forwarder.forward(3, "udp")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "no nameservers"),
        (b"nameserver localhost\n", "nameserver localhost"),
        (b"nameserver 192.0.2.1\n# \xff\n", "0xff"),
    ],
)
def test_a_system_file_that_cannot_be_used_is_told_once(dialer, system, content, reason):
    if content is not None:
        system.write_bytes(content)
    forwarder = DnsForwarder(dialer, [])
    with structlog.testing.capture_logs() as entries:
        assert not forwarder.forward(1, "udp")
        assert not forwarder.forward(2, "tcp")
    assert dialer.calls == []
    (entry,) = entries
    assert (entry["log_level"], entry["file"]) == ("warning", str(system))
    assert reason in entry["reason"]
