"""The carrier seen from both sides: what applications notice of it, and what an observer of the network does not."""

import contextlib
import logging
import os
import re
import socket
import time
from collections import Counter

import dns.message
import dns.query
import pytest
import socks as pysocks

from awgproxy import _native
from awgproxy.config import load
from bench import accounting
from interop.counterparts import conversation, socks
from interop.counterparts.relay import Relay
from tests.system.wire import Wire
from tests.system.world import SERVER_PORT, World

log = logging.getLogger(__name__)

PATIENCE = 60
TRANSPORT_OVERHEAD = 32
CLEAR = range(16)
"""Type, index and counter, which AmneziaWG 2.0 leaves behind the padding as they are."""
ENOUGH = 3000
"""Datagrams of which chance leaves no byte in one place far too often."""
LOOKED_AT = 1000
"""Bytes at the beginning of each."""
PART = 8_000_000
"""Bytes of a download between changes of its client's place."""
MUCH = 100_000_000
"""Bytes that a client holds of what its applications do not read, and never holds at rest."""


@pytest.fixture
def start(namespace, tmp_path):
    """Give a function that starts a world with a carrier, as the client's file says it, and a profile."""
    with contextlib.ExitStack() as running:

        def start(carrier, profile="awg3"):
            kind = type("Carried", (World,), {"carrier": carrier, "profile": profile})
            return running.enter_context(kind(namespace, tmp_path))

        yield start


def test_new_files_have_a_carrier_and_names_go_over_it(start):
    world = start(None)
    world.client.wait_for("carrier up")
    for host in ("target.test", "127.0.0.1"):
        made, reply = world.ask(host, world.ports["echo"])
        assert reply == 0
        made.sendall(b"hello")
        assert socks.take(made, 5) == b"hello"
        made.close()
    world.server.wait_for("connection requested", where=lambda entry: entry.get("host") == "target.test")
    assert world.client.stop() == 0
    assert world.client.said("carrier down") == []


def test_after_a_restart_of_the_server_old_connections_are_reset_and_new_ones_work(start):
    world = start("quic")
    download, idle = world.connect("source"), world.connect("echo")
    download.sendall(b"1000000000\n")
    socks.take(download, 1_000_000)
    world.server.kill()
    with world.start("server", "server.conf") as server:
        server.wait_for("server is ready")
        for one in (download, idle):
            with pytest.raises(ConnectionResetError):
                socks.take_all(one)
            one.close()
        conversation.eventually(lambda: world.connect("echo").close(), within=PATIENCE)


def test_what_a_server_carried_ends_with_it(start):
    world = start("quic")
    download, idle = world.connect("source"), world.connect("echo")
    download.sendall(b"100000000000\n")
    socks.take(download, 1_000_000)
    assert world.server.stop(PATIENCE) == 0
    world.client.wait_for("carrier down")
    for one in (download, idle):
        with pytest.raises(ConnectionResetError):
            socks.take_all(one)
        one.close()


def test_memory_of_what_was_left_unread_is_given_back(start):
    world = start("quic")
    resting = accounting.memory(world.client.pid)
    unread = [world.connect("source") for _ in range(16)]
    for one in unread:
        one.sendall(b"100000000\n")
    _wait_for(lambda: accounting.memory(world.client.pid) > resting + MUCH)
    for one in unread:
        one.close()
    _wait_for(lambda: accounting.memory(world.client.pid) < resting + MUCH / 2)


def test_three_hundred_connections_at_once_by_name_and_by_address(start):
    world, made = start("quic"), []
    for number in range(300):
        host = f"host{number % 8}.test" if number % 2 else "127.0.0.1"
        made.append(world.ask_soon(host, world.ports["echo"]))
    for number, one in enumerate(made):
        assert socks.take(one, 12)[3] == 0
        one.sendall(number.to_bytes(4))
    for number, one in enumerate(made):
        assert socks.take(one, 4) == number.to_bytes(4)
        one.close()


def test_a_server_without_a_carrier_is_served_by_packets_and_no_name_waits_for_one(start):
    world = start("auto")
    world.client.wait_for("carrier up")
    file = world.folder / "server.conf"
    world.server.kill()
    file.write_text(file.read_text().replace("[Server]\n", "[Server]\nCarrierPort = none\n"))
    with world.start("server", "server.conf") as server:
        server.wait_for("server is ready")
        asked = [
            world.ask_soon("target.test", world.ports["echo"]) for _ in range(20)
        ]  # which are meant for the carrier
        for one in asked:
            assert socks.take(one, 12)[3] == 0
            one.close()
        world.client.wait_for("carrier down")
        made, reply = world.ask("target.test", world.ports["echo"])
        assert reply == 0
        made.close()
        assert server.said("connection requested")[-1].get("host") is None, "an address, which the client looked up"


@pytest.mark.parametrize(("carrier", "profile"), [("ip", "awg3"), ("quic", "awg3"), ("quic", "awg2")])
def test_the_wire_is_the_obfuscations_whatever_is_carried(start, carrier, profile):
    world = start(carrier, profile)
    config = load(world.folder / "client.conf")
    settings, padding = config.obfuscation, int(dict(config.obfuscation)["S4"])
    content = bytes(1 << 16)  # of one byte, so that whatever is not encrypted shows
    seen = []
    with world.connect("echo") as made, world.inside(), Wire(range(1024, 65536)) as wire:
        while sum(map(is_long, seen)) < ENOUGH:
            made.sendall(content)
            socks.take(made, len(content))
            seen += [each.payload for each in wire.take() if SERVER_PORT in (each.source, each.destination)]
    assert {_native.message_type(settings, datagram) for datagram in seen} == {"transport"}
    assert max(map(len, seen)) <= padding + TRANSPORT_OVERHEAD + config.mtu
    clear = {padding + position for position in CLEAR} if profile == "awg2" else set()
    assert set(uneven(seen)) <= clear


def is_long(datagram):
    return len(datagram) >= LOOKED_AT


def uneven(datagrams):
    """The positions in long datagrams at which one byte stands far too often for chance."""
    long = list(filter(is_long, datagrams))
    for position in range(LOOKED_AT):
        ((_, count),) = Counter(datagram[position] for datagram in long).most_common(1)
        if count > 6 * len(long) / 256:
            yield position


def test_a_byte_that_repeats_is_found():
    assert list(uneven([b"\xc0" + os.urandom(LOOKED_AT - 1) for _ in range(ENOUGH)])) == [0]


@contextlib.contextmanager
def association(world):
    """A target of datagrams, and an application's socket that reaches it through the proxy."""
    with world.inside():
        target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        target.bind(("127.0.0.1", 0))
        made = pysocks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
        made.set_proxy(pysocks.SOCKS5, *world.proxy)
        made.bind(("127.0.0.1", 0))
    with target, made:
        target.settimeout(PATIENCE)
        yield target, made


def exchange(target, made):
    """A datagram there and one back; where the target sees the application."""
    made.settimeout(PATIENCE)
    made.sendto(b"to the world", target.getsockname())
    heard, source = target.recvfrom(100)
    assert heard == b"to the world"
    target.sendto(b"and back", source)
    assert made.recvfrom(100) == (b"and back", target.getsockname())
    return source


@pytest.mark.parametrize("asks_first", [True, False])
def test_one_association_asks_the_servers_dns_and_speaks_to_the_world(start, asks_first):
    world = start("quic")
    world.client.wait_for("carrier up")
    own = load(world.folder / "client.conf").interface.dns[0]
    with association(world) as (target, made):

        def asks():
            answer = dns.query.udp(dns.message.make_query("four.test", "A"), str(own), timeout=PATIENCE, sock=made)
            assert [str(record) for rrset in answer.answer for record in rrset] == ["127.0.0.1"]

        def speaks():
            exchange(target, made)

        for act in [asks, speaks] * 2 if asks_first else [speaks, asks] * 2:
            act()


@pytest.mark.parametrize("carrier", ["ip", "quic"])
def test_a_client_that_moves_and_renews_its_keys_keeps_what_it_carries(start, carrier):
    world = start(carrier)
    world.client.stop()
    file = world.folder / "client.conf"
    with contextlib.ExitStack() as running:
        running.enter_context(world.inside())
        relay = running.enter_context(Relay(("127.0.0.1", SERVER_PORT)))
        text = file.read_text().replace(f"Endpoint = 127.0.0.1:{SERVER_PORT}", f"Endpoint = {relay.endpoint}")
        file.write_text(re.sub(r"(?m)^RekeyAfterTime = .*", "RekeyAfterTime = 2", text))
        world.start_client()
        if carrier == "quic":
            world.client.wait_for("carrier up")
        target, made = running.enter_context(association(world))
        source = exchange(target, made)
        download, echo = (running.enter_context(world.connect(name)) for name in ("source", "echo"))
        download.sendall(b"%d\n" % (6 * PART))
        longest, last = 0, time.monotonic()
        for _ in range(5):
            left = PART
            while left:
                received = len(download.recv(left))
                assert received, f"the download ended {left} bytes before the end of a part"
                left -= received
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            relay.move()
        assert socks.take_all(download) == PART
        log.info("%s: the longest gap of a download whose client moved was %.0f ms", carrier, longest * 1000)
        renewed = False
        while not renewed:
            renewed = world.client.said("tunnel rekeyed") != []
            echo.sendall(b"still the same")
            assert socks.take(echo, 14) == b"still the same"
            assert exchange(target, made) == source, "the same socket of the server"
    assert world.client.said("carrier down") == world.client.said("carrier up") == []
    assert world.server.said("peer moved") != []


def _wait_for(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
