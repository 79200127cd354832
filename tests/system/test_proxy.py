"""An application, SOCKS5, the tunnel, the targets: the whole as a user runs it."""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess

import pytest

from interop.counterparts import socks
from tests.required import require
from tests.system.world import World

REFUSED, NETWORK, HOST, TIMED_OUT, POLICY = 5, 3, 4, 6, 2


@pytest.fixture(scope="module", params=["ip", "quic"])
def world(request, namespace, tmp_path_factory):
    class Carried(World):
        carrier = request.param

    with Carried(namespace, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.mark.parametrize(("scheme", "host"), [("socks5h", "four.test"), ("socks5", "127.0.0.1"), ("http", "four.test")])
def test_curl_downloads(world, scheme, host):
    require(shutil.which("curl"), "curl is not installed")
    content = os.urandom(20_000_000)
    command = [*world.namespace.inside, "curl", "--silent", "--show-error", "--fail", "--max-time", "60"]
    with world.page(content) as port:
        url = f"http://{host}:{port}/file"
        fetched = subprocess.run(
            [*command, "--proxy", f"{scheme}://127.0.0.1:1080", url], check=True, capture_output=True
        )
    assert hashlib.sha256(fetched.stdout).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "target.test"])
def test_echo(world, host):
    made, reply = world.ask(host, world.ports["echo"])
    assert reply == 0
    made.sendall(b"hello")
    assert socks.take(made, 5) == b"hello"
    made.close()


def test_where_the_server_has_no_ipv6_connections_stand_over_ipv4_and_who_looks_names_up_learns(world):
    for _ in range(8):
        made, reply = world.ask("split.test", world.ports["echo"])
        assert reply == 0
        made.close()
    if world.carrier == "ip":
        world.client.wait_for("IPv6 leads nowhere behind the tunnel")
    else:
        world.server.wait_for("IPv6 leads nowhere from here")


def test_half_close_still_brings_the_answer(world):
    content = os.urandom(5_000_000)
    made = world.connect("digest")
    made.sendall(content)
    made.shutdown(socket.SHUT_WR)
    assert socks.take(made, 64).decode() == hashlib.sha256(content).hexdigest()
    assert made.recv(1) == b""
    made.close()


def test_a_reset_of_the_target_is_a_reset_here(world):
    made = world.connect("reset")
    assert socks.take(made, 5) == b"hello"
    made.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        socks.take_all(made)
    made.close()


@pytest.mark.parametrize(
    ("host", "port", "reply"),
    [
        pytest.param("127.0.0.1", 9, REFUSED, id="nobody listens"),
        pytest.param("198.51.100.1", 80, HOST, id="host unreachable"),
        pytest.param("233.252.0.1", 80, NETWORK, id="no route"),
        pytest.param("10.1.2.3", 80, POLICY, id="private"),
        pytest.param("private.test", 80, POLICY, id="a name for a private address"),
        pytest.param("127.0.0.1", 25, POLICY, id="port 25"),
        pytest.param("::ffff:10.1.2.3", 80, POLICY, id="mapped private"),
        pytest.param("0.0.0.0", 80, NETWORK, id="nobody's"),
        pytest.param("::ffff:0.0.0.0", 80, NETWORK, id="mapped nobody's"),
        pytest.param("none.test", 80, HOST, id="no such name"),
    ],
)
def test_replies_tell_the_truth(world, host, port, reply):
    made, code = world.ask(host, port)
    assert code == reply
    assert made.recv(1) == b""
    made.close()


def test_a_silent_target_times_out(world):
    made, code = world.ask("203.0.113.1", 80)
    assert code == TIMED_OUT
    made.close()


def test_an_application_that_hangs_up_while_it_waits_frees_the_flow(world):
    with world.inside():
        made = socket.create_connection(world.proxy)
    made.sendall(socks.opening(("203.0.113.2", 80)))
    requested = world.client.wait_for("connection requested", where=lambda entry: entry["host"] == "203.0.113.2")
    made.close()
    world.client.wait_for("connection closed", where=lambda entry: entry["flow"] == requested["flow"])


def test_a_slow_reader_stops_its_sender_and_nobody_else(world):
    content = os.urandom(1 << 20)
    with world.inside():
        listening = socket.create_server(("127.0.0.1", 0))
    slow, _ = world.ask(*listening.getsockname())
    sender, _ = listening.accept()
    sender.setblocking(False)
    other = world.connect("echo")
    sent, before = 0, -1
    while sent > before:  # it stands still once nothing more went out while the second stream came and went
        before = sent
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += sender.send(memoryview(content)[sent % len(content) :])
        for _ in range(20):
            other.sendall(b"x" * 1000)
            assert len(socks.take(other, 1000)) == 1000
    received = socks.take(slow, sent)
    assert all(received[at : at + len(content)] == content[: sent - at] for at in range(0, sent, len(content)))
    sender.close()
    assert slow.recv(1) == b""
    for one in (slow, other, listening):
        one.close()


def test_a_thousand_connections(world):
    made = []
    with world.inside():
        for _ in range(1000):
            one = socket.create_connection(world.proxy, timeout=60)
            one.sendall(socks.opening(("127.0.0.1", world.ports["echo"])))
            made.append(one)
    for number, one in enumerate(made):
        assert socks.take(one, 12)[3] == 0
        one.sendall(number.to_bytes(4, "big"))
    for number, one in enumerate(made):
        assert socks.take(one, 4) == number.to_bytes(4, "big")
    for one in made:
        one.close()


def test_dns_of_any_type_is_forwarded_at_the_tunnel_address(world):
    made, reply = world.ask(_server_address(world), 53)
    assert reply == 0
    question = bytes.fromhex("abcd01000001000000000000") + b"\x04four\x04test\x00" + b"\x00\x10\x00\x01"
    made.sendall(len(question).to_bytes(2, "big") + question)
    length = int.from_bytes(socks.take(made, 2), "big")
    assert socks.take(made, length).startswith(bytes.fromhex("abcd"))
    made.close()


def test_other_ports_of_the_tunnel_address_are_closed(world):
    made, code = world.ask(_server_address(world), 80)
    assert code == REFUSED
    made.close()


def _server_address(world) -> str:
    line = next(line for line in (world.folder / "server.conf").read_text().splitlines() if line.startswith("Address"))
    return line.partition("=")[2].split(",")[0].strip().partition("/")[0]
