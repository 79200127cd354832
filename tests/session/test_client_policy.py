"""What a client's own rules refuse: judged on the addresses of a name, which are the ones that are dialled."""

import pytest

from awgproxy.config import parse
from awgproxy.errors import PolicyDenied
from awgproxy.policy import allowed_of, client_policy
from tests.config.texts import CLIENT
from tests.session.asking import Asking
from tests.session.running import named

CARRIED = "CarrierAddress = 10.8.0.1:51443\n[Tunnel]\nCarrier = quic\n"


def policy(rules):
    return client_policy(parse(CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Client]\n" + rules, "x.conf"))


def asking(engine, rules, *answers, peer=""):
    return Asking(engine, f"{peer}[Client]\n{rules}", *answers)


async def test_a_name_that_means_another_address_next_does_not_get_past_the_rules(engine, entries):
    made = asking(engine, "Deny = 10.0.0.0/8", ["93.184.215.14"], ["10.1.2.3"])
    assert await made.ask("rebinding.example") is None
    assert (await engine.called("open"))[0] == [("93.184.215.14", 443)]
    assert await made.ask("rebinding.example") == b"prohibited"
    assert made.connector.prohibited == 1
    (entry,) = named(entries, "connection failed")
    assert "10.1.2.3 port 443 is refused by the egress policy: denied by the configuration" in entry["reason"]


async def test_of_a_names_addresses_only_those_that_are_open_are_dialled(engine):
    made = asking(engine, "Deny = 10.0.0.0/8, fd00::/8", ["fd00::1", "2001:db8::1", "10.0.0.1", "192.0.2.9"])
    await made.ask("mixed.example")
    assert (await engine.called("open"))[0] == [("2001:db8::1", 443), ("192.0.2.9", 443)]


async def test_addresses_and_ports_are_judged_as_they_come(engine):
    made = asking(engine, "Deny = 10.0.0.0/8\nAllow = 10.8.0.0/16\nDenyPorts = 1-1023\nAllowPorts = 443")
    assert await made.ask("10.9.0.1") == b"prohibited"
    assert await made.ask("192.0.2.9", 22) == b"prohibited"
    assert await made.ask("10.8.0.1") is None
    assert await made.ask("192.0.2.9", 8080) is None


async def test_a_name_that_the_server_looks_up_is_judged_by_its_port(engine, entries):
    made = asking(engine, "DenyPorts = 1-1023\nAllowPorts = 443", peer=CARRIED)
    assert await made.ask("name.example", 22) == b"prohibited"
    assert await made.ask("name.example") is None
    assert (await engine.called("open"))[0] == [("name.example", 443)]
    assert made.connector.prohibited == 1
    (entry,) = named(entries, "connection failed")
    assert "name.example port 22 is refused by the egress policy: port 1-442" in entry["reason"]


async def test_rules_on_addresses_hold_for_names_since_those_are_looked_up_here_then(engine):
    made = asking(engine, "Deny = 10.0.0.0/8", ["10.0.0.1", "192.0.2.9"], ["10.0.0.1"], peer=CARRIED)
    assert await made.ask("mixed.example") is None
    assert (await engine.called("open"))[0] == [("192.0.2.9", 443)]
    assert await made.ask("inside.example") == b"prohibited"


@pytest.mark.parametrize("form", ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"])
def test_other_forms_of_a_refused_address(form):
    with pytest.raises(PolicyDenied):
        allowed_of(policy("Deny = 10.0.0.0/8"), [form], 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fe80::1", "93.184.215.14"])
def test_without_rules_everything_is_open(address):
    assert allowed_of(policy(""), [address], 25) == [address]
