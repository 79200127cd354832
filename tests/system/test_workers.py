"""A server whose peers two loops share: real ends, real connections, one client in each loop."""

import base64
import socket
import threading

import pytest

from awgproxy import _native
from interop.counterparts import socks
from tests.system.world import World

SECOND_PROXY = ("127.0.0.1", 1081)
BYTES = 2_000_000


def loop_of(public_key):
    """Which of two loops a peer lives in."""
    return base64.b64decode(public_key)[0] & 1


class Workers(World):
    """A server with two loops, its client, and a second client that lives in the other loop."""

    def write_pair(self):
        super().write_pair()
        server, client = (self.folder / name for name in ("server.conf", "client.conf"))
        own = next(line for line in client.read_text().splitlines() if line.startswith("PrivateKey"))
        private = own.partition(" = ")[2]
        second = _native.generate_private_key()
        while loop_of(_native.public_key(second)) == loop_of(_native.public_key(private)):
            second = _native.generate_private_key()
        lines = client.read_text().splitlines()
        address = next(line for line in lines if line.startswith("Address"))
        other = address.replace(".2/", ".3/").replace("::2/", "::3/")
        shared = next(line for line in lines if line.startswith("PresharedKey"))
        text = client.read_text().replace(private, second).replace(address, other).replace(f"{shared}\n", "")
        bind = f"\n[Socks5]\nBindAddress = {SECOND_PROXY[0]}:{SECOND_PROXY[1]}\n"
        self.write("second.conf", text.split("[Socks5]")[0] + bind)
        peer = f"\n[Peer]\nPublicKey = {_native.public_key(second)}\nAllowedIPs = {other.partition(' = ')[2]}\n"
        self.write("server.conf", f"{server.read_text()}{peer}\n[Tunnel]\nWorkers = 2\n")


@pytest.fixture(scope="module")
def world(namespace, tmp_path_factory):
    with Workers(namespace, tmp_path_factory.mktemp("workers")) as made:
        yield made


def transfer(world, proxy, results):
    """Bytes both ways by one of the clients; what came of it goes to ``results``."""
    with world.inside():
        made = socks.connect(proxy, ("127.0.0.1", world.ports["digest"]))
    with made:
        made.sendall(bytes(BYTES))
        made.shutdown(socket.SHUT_WR)
        digest = socks.take(made, 64)
    with world.inside():
        made = socks.connect(proxy, ("127.0.0.1", world.ports["source"]))
    with made:
        made.sendall(b"%d\n" % BYTES)
        results.append((digest, socks.take_all(made)))


def test_peers_of_both_loops_are_served_at_once(world):
    results = []
    with world.start("client", "second.conf") as second:
        second.wait_for("tunnel up")
        threads = [
            threading.Thread(target=transfer, args=(world, proxy, results)) for proxy in (world.proxy, SECOND_PROXY)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 2
    assert results[0] == results[1]
    assert results[0][1] == BYTES


def test_the_server_ends_in_order(world):
    """Both loops' connections end with it, and nothing of it hangs."""
    with world.connect("echo") as made:
        made.sendall(b"hello")
        assert socks.take(made, 5) == b"hello"
        assert world.server.stop() == 0
