"""Which address connections leave from."""

import socket
from ipaddress import ip_address

import pytest

from awgproxy.config import parse
from awgproxy.egress.dialer import Dialer
from awgproxy.egress.source import SourceAddresses
from awgproxy.errors import ConfigError
from awgproxy.policy import host_addresses
from awgproxy.session.server import run
from tests.config.texts import SERVER
from tests.memory import MemoryEngine

NOT_OURS = ip_address("203.0.113.77")


@pytest.fixture
def engine():
    made = MemoryEngine()
    yield made
    made.close()


@pytest.fixture
def own():
    """An IPv4 address of this machine that is not on loopback."""
    found = [address for address in host_addresses() if address.version == 4]
    if not found:
        pytest.skip("this machine has no IPv4 address beside loopback")
    return found[0]


def test_connections_and_datagrams_leave_from_the_address_of_their_kind(engine, own):
    dialer = Dialer(engine, SourceAddresses([own]))
    with socket.create_server((str(own), 0)) as target:
        dialer.dial(1, target.getsockname())
        dialer.connect_datagrams(2, target.getsockname())
        dialer.open_datagrams(3, ipv6=False)
        dialer.open_datagrams(4, ipv6=True)
        assert [engine.attached[flow].getsockname()[0] for flow in (1, 2, 3, 4)] == [str(own)] * 3 + ["::"]
        accepted, source = target.accept()
        assert source[0] == str(own)
        accepted.close()


def test_services_on_loopback_are_reached_from_there(engine, own):
    with socket.create_server(("127.0.0.1", 0)) as target:
        Dialer(engine, SourceAddresses([own])).dial(1, target.getsockname())
        assert engine.attached[1].getsockname()[0] == "127.0.0.1"


def test_an_address_that_is_lost_later_refuses_connections(engine):
    dialer = Dialer(engine, SourceAddresses([NOT_OURS]))
    dialer.dial(1, ("192.0.2.9", 80))
    dialer.open_datagrams(2, ipv6=False)
    assert engine.rejected == {1: "network-unreachable", 2: "network-unreachable"}


@pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8::77", "fe80::77"])
async def test_an_address_that_the_machine_lacks_is_told_at_the_start(address):
    config = parse(SERVER.replace("[Server]", f"[Server]\nSourceAddress = {address}"), "x.conf")
    with pytest.raises(ConfigError) as caught:
        await run(config)
    (problem,) = caught.value.problems
    assert (problem.line, problem.section, problem.key) == (7, "Server", "SourceAddress")
    assert f"this machine does not have the address {address}" in str(problem)
