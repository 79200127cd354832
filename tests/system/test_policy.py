"""What is refused at either end, and where connections leave from, as a user runs it."""

import contextlib
import socket

import pytest

from interop.counterparts import conversation, socks
from tests.system.world import World

POLICY, PATIENCE = 2, 45
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


def datagrams_that_arrive(world, ports):
    """Of the ports of 127.0.0.1, to each of which an application sends a datagram by SOCKS5, those where it comes."""
    with contextlib.ExitStack() as closing:
        with world.inside():
            targets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
            control = closing.enter_context(socket.create_connection(world.proxy))
            application = closing.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for target, port in zip(targets, ports, strict=True):
            closing.enter_context(target)
            target.bind(("127.0.0.1", port))
        control.sendall(b"\x05\x01\x00\x05\x03\x00\x01" + bytes(6))
        answer = socks.take(control, 12)
        assert answer[:6] == b"\x05\x00\x05\x00\x00\x01"
        relay = (socket.inet_ntoa(answer[6:10]), int.from_bytes(answer[10:]))
        for port in ports:
            header = b"\0\0\0\x01" + socket.inet_aton("127.0.0.1") + port.to_bytes(2)
            application.sendto(header + b"hello", relay)
        targets[-1].settimeout(PATIENCE)  # those sent before it would have come before it
        assert targets[-1].recv(100) == b"hello"
        return [port for port, target in zip(ports, targets, strict=True) if _holds(target) or target is targets[-1]]


def _holds(target):
    target.setblocking(False)
    try:
        return target.recv(100) == b"hello"
    except BlockingIOError:
        return False


@pytest.fixture
def limited(namespace, tmp_path):
    """Give a function that starts a world whose one peer has these lines in its section."""
    with contextlib.ExitStack() as worlds:

        def start(lines):
            class Limited(World):
                def write_pair(self):
                    super().write_pair()
                    with (self.folder / "server.conf").open("a") as file:
                        file.write(lines)

            return worlds.enter_context(Limited(namespace, tmp_path))

        yield start


def test_a_peers_own_rules_and_bounds_are_told_as_prohibited(limited):
    world = limited("DenyPorts = 24\nMaxFlows = 4\n")
    made, reply = world.ask("127.0.0.1", 24)
    assert reply == POLICY
    made.close()
    assert datagrams_that_arrive(world, [24, 2400]) == [2400]
    asked = [world.ask("127.0.0.1", world.ports["echo"]) for _ in range(5)]
    replies = [reply for _, reply in asked]
    assert replies[-1] == POLICY
    assert replies.count(0) in (3, 4), "the source of the datagrams may still count"
    for one, _ in asked:
        one.close()
    conversation.eventually(lambda: world.connect("echo").close(), within=PATIENCE)
    world.server.stop()
    (counters,) = world.server.said("counters of a peer")
    assert (counters["peer"], counters["turned_away_by_flows"] >= 1) == ("peer 1", True)
    assert world.server.said("counters")[0]["connections_prohibited"] == 1


def test_a_quota_that_is_spent_ends_what_stands_and_stays_spent_over_a_restart(limited):
    world = limited("MonthlyQuota = 2 MB\n")
    made = world.connect("source")
    made.sendall(b"1000000000\n")
    with pytest.raises(ConnectionResetError):
        socks.take_all(made)
    made.close()
    world.server.wait_for("a peer has spent its quota", where=lambda entry: entry["peer"] == "peer 1")
    made, reply = world.ask("127.0.0.1", world.ports["echo"])
    assert reply == POLICY
    made.close()
    for end in (world.client, world.server):
        end.stop()
    with world.start("server", "server.conf") as server:
        server.wait_for("server is ready")
        world.start_client()
        made, reply = world.ask("127.0.0.1", world.ports["echo"])
        assert reply == POLICY
        made.close()


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


def test_over_http_it_is_forbidden(world):
    with world.inside():
        made = socket.create_connection(world.proxy)
    made.sendall(b"CONNECT 198.51.100.1:80 HTTP/1.1\r\nHost: 198.51.100.1:80\r\n\r\n")
    assert made.recv(12) == b"HTTP/1.1 403"
    made.close()


def test_datagrams_are_judged_by_the_same_rules(world):
    assert datagrams_that_arrive(world, [24, 2400]) == [2400]
