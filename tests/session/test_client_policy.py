"""What a client's own rules refuse: judged on the addresses of a name, which are the ones that are dialled."""

import socket

import pytest

from awgproxy.config import parse
from awgproxy.egress.dns.ipv6 import Ipv6Path
from awgproxy.errors import PolicyDenied
from awgproxy.policy import allowed_of, client_policy
from awgproxy.proxy.answers import Answers
from awgproxy.proxy.application import Application
from awgproxy.proxy.destination import Destination
from awgproxy.session.connector import Connector
from awgproxy.session.open_connections import OpenConnections
from tests.config.texts import CLIENT
from tests.session.running import named

ANSWERS = Answers(b"ok", b"refused", b"network", b"host", b"prohibited", b"late", b"failed")


def policy(rules):
    return client_policy(parse(CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Client]\n" + rules, "x.conf"))


class Answering:
    """A resolver whose answers follow each other."""

    has_servers = True

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.ipv6_path = Ipv6Path()

    async def resolve(self, _):
        return next(self._answers)


@pytest.fixture
def ask(engine):
    """Give a function that has an application ask a connector: what it hears until the connector is done with it."""

    async def ask(connector, host, port=443):
        near, far = socket.socketpair()
        near.setblocking(False)
        is_name = not host[0].isdigit()
        connector.connect(Application(near, Destination(host, port, is_name), b"", ANSWERS))
        for task in tuple(connector._looking_up):
            await task
        far.setblocking(False)
        try:
            return far.recv(100)
        except BlockingIOError:
            return None  # it has gone to the engine
        finally:
            far.close()

    return ask


def connector(engine, rules, *answers):
    return Connector(engine, Answering(*answers), OpenConnections(), policy(rules))


async def test_a_name_that_means_another_address_next_does_not_get_past_the_rules(engine, ask, entries):
    made = connector(engine, "Deny = 10.0.0.0/8", ["93.184.215.14"], ["10.1.2.3"])
    assert await ask(made, "rebinding.example") is None
    assert (await engine.called("open"))[0] == [("93.184.215.14", 443)]
    assert await ask(made, "rebinding.example") == b"prohibited"
    assert made.prohibited == 1
    (entry,) = named(entries, "connection failed")
    assert "10.1.2.3 port 443 is refused by the egress policy: denied by the configuration" in entry["reason"]


async def test_of_a_names_addresses_only_those_that_are_open_are_dialled(engine, ask):
    made = connector(engine, "Deny = 10.0.0.0/8, fd00::/8", ["fd00::1", "2001:db8::1", "10.0.0.1", "192.0.2.9"])
    await ask(made, "mixed.example")
    assert (await engine.called("open"))[0] == [("2001:db8::1", 443), ("192.0.2.9", 443)]


async def test_addresses_and_ports_are_judged_as_they_come(engine, ask):
    made = connector(engine, "Deny = 10.0.0.0/8\nAllow = 10.8.0.0/16\nDenyPorts = 1-1023\nAllowPorts = 443")
    assert await ask(made, "10.9.0.1") == b"prohibited"
    assert await ask(made, "192.0.2.9", 22) == b"prohibited"
    assert await ask(made, "10.8.0.1") is None
    assert await ask(made, "192.0.2.9", 8080) is None


@pytest.mark.parametrize("form", ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"])
def test_other_forms_of_a_refused_address(form):
    with pytest.raises(PolicyDenied):
        allowed_of(policy("Deny = 10.0.0.0/8"), [form], 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fe80::1", "93.184.215.14"])
def test_without_rules_everything_is_open(address):
    assert allowed_of(policy(""), [address], 25) == [address]
