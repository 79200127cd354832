"""Which end a configuration is for, and what that end must have."""

import pytest

from awgproxy.config import Role, parse
from awgproxy.errors import ConfigError

from .texts import CLIENT, INTERFACE, PEER, SERVER


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (CLIENT, Role.CLIENT),
        (CLIENT.replace("MTU", "ListenPort = 5\nMTU"), Role.CLIENT),
        (SERVER, Role.SERVER),
        (SERVER.replace("[Server]\n", ""), Role.SERVER),
        (SERVER.replace("[Server]", "[SERVER]").replace("ListenPort", "listenport"), Role.SERVER),
    ],
)
def test_the_role_that_is_most_likely(text, role):
    assert parse(text, "test.conf").role is role


def test_the_role_that_is_asked_for():
    assert parse(CLIENT + "[Server]\n", "test.conf", Role.CLIENT).role is Role.CLIENT


def missing(text, role=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, "test.conf", role)
    return [(problem.line, problem.key or problem.section) for problem in caught.value.problems]


def test_a_client_needs_a_peer_with_an_endpoint():
    assert missing(INTERFACE) == [(None, "Peer")]
    assert missing(SERVER, Role.CLIENT) == [(7, "Endpoint")]
    assert missing(SERVER.replace("[Server]", "[Socks5]")) == [(7, "Endpoint")]


def test_a_server_needs_a_port_and_a_peer():
    assert missing(CLIENT, Role.SERVER) == [(1, "ListenPort")]
    assert missing(SERVER.replace("ListenPort = 51820\n", "")) == [(1, "ListenPort")]
    assert missing(INTERFACE + "ListenPort = 0\n", Role.SERVER) == [(None, "Peer"), (6, "ListenPort")]


@pytest.mark.parametrize(
    ("text", "role", "expected"),
    [
        (INTERFACE + "Qwertz = 1\n[Peer]\n", Role.CLIENT, [6, 7, 7, 7]),
        (INTERFACE + "MTU = 1\n[Log]\nLevel = loud\n", Role.SERVER, [None, 1, 6, 8]),
    ],
)
def test_what_is_missing_is_told_together_with_what_is_wrong(text, role, expected):
    assert [line for line, _ in missing(text, role)] == expected


@pytest.mark.parametrize("port", ["", "70000", "http"])
def test_a_port_that_cannot_be_read_is_not_missing_as_well(port):
    assert missing(SERVER.replace("51820", port)) == [(4, "ListenPort")]


@pytest.mark.parametrize("endpoint", ["", "nowhere"])
def test_an_endpoint_that_cannot_be_read_is_not_missing_as_well(endpoint):
    text = INTERFACE + PEER.replace("vpn.example.org:51820", endpoint)
    assert missing(text) == [(9, "Endpoint")]


def test_without_an_interface_its_port_is_not_missing_as_well():
    assert missing("[Server]\n") == [(None, "Peer"), (None, "Interface")]


def test_a_clients_rules_are_no_servers():
    assert missing(SERVER + "[Client]\nDeny = 10.0.0.0/8\n") == [(10, "Client")]
