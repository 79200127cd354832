"""Many ports and hopping over them, sets of parameters side by side, all of AmneziaWG 3.1: real ends, real connections.

Server and client are the examples server-awg3.conf and client-awg3.conf.
"""

import socket
import time
from pathlib import Path

import pytest

from awgproxy import _native
from interop.counterparts import socks
from tests.system.wire import Wire
from tests.system.world import World, with_targets

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PORTS = range(20000, 20101)
PHONES_PORT = 51820
SECOND_PROXY = ("127.0.0.1", 1081)
PATIENCE = 60


def example(name, *changes):
    text = (EXAMPLES / name).read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def phones():
    """The parameters of the server's further set."""
    section = example("server-awg3.conf").split("[Obfuscation phones]\n")[1].split("\n\n")[0]
    return "".join(f"{line}\n" for line in section.splitlines() if line[0] in "SH")


def with_parameters(client, parameters):
    """A client's configuration with other obfuscation parameters, at the port where they are spoken."""
    address = next(line for line in client.splitlines() if line.startswith("Address"))
    key = next(line for line in client.splitlines() if line.startswith("PrivateKey"))
    rest = "[Peer]" + client.split("[Peer]")[1].split("[Tunnel]")[0].replace("20000-20100", str(PHONES_PORT))
    return f"[Interface]\n{key}\n{address}\nDNS = 10.77.0.1\nMTU = 1280\n{parameters}{rest}"


class Examples(World):
    """The server and the client of the examples, and a second client that speaks the server's other parameters."""

    def write_pair(self):
        second = _native.generate_private_key()
        peer = f"\n[Peer]\nPublicKey = {_native.public_key(second)}\nAllowedIPs = 10.77.0.3/32\n"
        self.write("server.conf", with_targets(example("server-awg3.conf")) + peer)
        client = example("client-awg3.conf", ("vpn.example.org", "127.0.0.1"), ("PortHop = 30-90", "PortHop = 1"))
        self.write("client.conf", client)
        own = next(line for line in client.splitlines() if line.startswith("PrivateKey"))
        shared = next(line for line in client.splitlines() if line.startswith("PresharedKey"))
        other = client.replace(own, f"PrivateKey = {second}").replace(f"{shared}\n", "").replace(".0.2/", ".0.3/")
        bind = f"[Socks5]\nBindAddress = {SECOND_PROXY[0]}:{SECOND_PROXY[1]}\n"
        self.write("second.conf", with_parameters(other, phones()) + bind)
        self.write("moved.conf", with_parameters(client, phones()))
        unprotected = "\n".join(line for line in other.splitlines() if not line.startswith("HeaderProtectionKey"))
        self.write("unprotected.conf", f"{unprotected}\n{bind}")


@pytest.fixture(scope="module")
def world(namespace, tmp_path_factory):
    with Examples(namespace, tmp_path_factory.mktemp("examples")) as made:
        yield made


def echoes(made, text=b"hello"):
    made.sendall(text)
    return socks.take(made, len(text)) == text


def test_with_every_key_of_3_1_connections_work(world):
    with world.connect("digest") as made:
        for _ in range(64):
            made.sendall(bytes(65536))
        made.shutdown(socket.SHUT_WR)
        assert len(socks.take(made, 64)) == 64
    with world.connect("source") as made:
        made.sendall(b"4000000\n")
        assert socks.take_all(made) == 4_000_000


def test_a_connection_goes_on_while_its_client_hops_from_port_to_port(world):
    with world.inside():
        wire = Wire(PORTS)
    seen, deadline = set(), time.monotonic() + PATIENCE
    with wire, world.connect("echo") as made:
        while len(seen) < 4:
            assert time.monotonic() < deadline, f"the client was seen at {seen} only"
            assert echoes(made)
            seen |= {datagram.destination for datagram in wire.take()}
    assert world.client.running


def test_clients_with_other_parameters_are_served_at_once(world):
    with world.start("client", "second.conf") as second:
        second.wait_for("tunnel up")
        with world.inside():
            theirs = socks.connect(SECOND_PROXY, ("127.0.0.1", world.ports["echo"]))
        with theirs, world.connect("echo") as ours:
            for number in range(20):
                assert echoes(theirs, b"second %d" % number)
                assert echoes(ours, b"first %d" % number)


def test_header_protection_at_one_end_only_is_named_in_the_other_ends_log(world):
    with world.start("client", "unprotected.conf"):
        # With trailers and wide H a junk packet may pass for a handshake message that is not for the server.
        entry = world.server.wait_for("handshake failed", PATIENCE, lambda line: line["cause"] != "mac1")
    assert entry["cause"] == "header-protection"
    assert "on one end only" in entry["hint"]
    with world.connect("echo") as made:
        assert echoes(made)


def test_a_client_is_moved_to_other_parameters_under_the_same_key(world):
    world.client.stop()
    try:
        with world.start("client", "moved.conf") as moved:
            moved.wait_for("tunnel up")
            with world.connect("echo") as made:
                assert echoes(made)
    finally:
        world.start_client()
    with world.connect("echo") as made:
        assert echoes(made)
