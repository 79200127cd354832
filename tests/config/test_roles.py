"""Which end a configuration is for, and what that end must have."""

import pytest

from awgproxy.config import Role, parse, require_client, require_server, role_of
from awgproxy.errors import ConfigError

from .texts import CLIENT, INTERFACE, SERVER


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (CLIENT, Role.CLIENT),
        (CLIENT.replace("MTU", "ListenPort = 5\nMTU"), Role.CLIENT),
        (SERVER, Role.SERVER),
        (SERVER.replace("[Server]\n", ""), Role.SERVER),
        (SERVER.replace("[Server]", "[Socks5]"), Role.CLIENT),
        (INTERFACE, Role.CLIENT),
    ],
)
def test_the_role(text, role):
    assert role_of(parse(text, "test.conf")) is role


def missing(require, text):
    with pytest.raises(ConfigError) as caught:
        require(parse(text, "test.conf"))
    return [(problem.line, problem.key or problem.section) for problem in caught.value.problems]


def test_a_client_needs_a_peer_with_an_endpoint():
    require_client(parse(CLIENT, "test.conf"))
    assert missing(require_client, INTERFACE) == [(None, "Peer")]
    assert missing(require_client, SERVER) == [(7, "Endpoint")]


def test_a_server_needs_a_port_and_a_peer():
    require_server(parse(SERVER, "test.conf"))
    assert missing(require_server, CLIENT) == [(1, "ListenPort")]
    assert missing(require_server, INTERFACE + "ListenPort = 0\n") == [(6, "ListenPort"), (None, "Peer")]
