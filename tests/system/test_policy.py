"""What is refused at either end, and where connections leave from, as a user runs it."""

import socket

import pytest

from tests.system.world import World

POLICY = 2
SOURCE, TARGET = "192.0.2.7", "192.0.2.1"


class Ruled(World):
    """A server with an address of its own to leave from, and a client with rules."""

    def write_pair(self):
        super().write_pair()
        file = self.folder / "server.conf"
        file.write_text(
            file.read_text().replace("[Server]\n", f"[Server]\nSourceAddress = {SOURCE}\nAllow = {TARGET}\n")
        )
        with (self.folder / "client.conf").open("a") as file:
            file.write("\n[Client]\nDeny = 10.0.0.0/8, 198.51.100.0/24\nDenyPorts = 24\n")


@pytest.fixture(scope="module")
def world(namespace, tmp_path_factory):
    namespace.ip(f"addr add {SOURCE}/32 dev wan")
    try:
        with Ruled(namespace, tmp_path_factory.mktemp("ruled")) as made:
            yield made
    finally:
        namespace.ip(f"addr del {SOURCE}/32 dev wan")


def test_connections_leave_from_the_configured_address(world):
    with world.inside():
        target = socket.create_server((TARGET, 0))
    with target:
        made, reply = world.ask(*target.getsockname())
        assert reply == 0
        accepted, source = target.accept()
        assert source[0] == SOURCE
        accepted.close()
        made.close()


@pytest.mark.parametrize(
    ("host", "port"), [("198.51.100.1", 80), ("private.test", 80), ("::ffff:a01:203", 80), ("127.0.0.1", 24)]
)
def test_what_the_clients_own_rules_refuse_does_not_enter_the_tunnel(world, host, port):
    made, reply = world.ask(host, port)
    assert reply == POLICY
    assert made.recv(1) == b""
    made.close()
    world.client.wait_for(
        "connection failed", where=lambda entry: (entry.get("host"), entry.get("port")) == (host, port)
    )
    assert world.server.said("connection refused") == []
