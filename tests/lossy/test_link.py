"""The emulated link itself: what it says that it did is what happened. What it draws is tested in bench/link."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from interop.counterparts import conversation, ends, link
from interop.counterparts.link import Conditions

HARD = Conditions(delay=0.002, loss=0.1, burst=3, reorder=0.2, duplicate=0.1)
DATAGRAMS, PIECE = 2000, 100
NUMBER = struct.Struct("!I")
SERVER = "127.0.0.1"
ON_THE_WAY = 0.01
"""Seconds: the delay of the link whose rate changes, and the grains of its program."""


def bound(host=SERVER):
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    opened.bind((host, 0))
    opened.settimeout(30)
    return opened


def numbered(number):
    """Sizes differ, and every byte is known."""
    return NUMBER.pack(number) + bytes([number % 251]) * (number * 37 % 1400)


def passed(control, way):
    return control.process.command("status", "status")[way]


def carried(control, sending, address, receiving):
    """The numbers that came to the other end, by how often; sent in pieces, so that no socket's buffer is tested."""
    came = Counter()
    for start in range(0, DATAGRAMS, PIECE):
        for number in range(start, start + PIECE):
            sending.sendto(numbered(number), address)
        done = 0
        while done < start + PIECE:
            seen = passed(control, "up")
            while came.total() < seen["passed"] + seen["duplicated"]:
                datagram, _ = receiving.recvfrom(2048)
                (number,) = NUMBER.unpack_from(datagram)
                assert datagram == numbered(number)
                came[number] += 1
            done = seen["passed"] + seen["lost"] + seen["dropped"]
    return came


def test_datagrams_arrive_as_it_says_and_as_they_were(link_program):
    with bound() as server, bound() as client, link.relayed(server.getsockname(), HARD) as (address, control):
        up = carried(control, client, address, server)
        said = control.window()["up"]
        assert len(up) == said["passed"]
        assert up.total() == said["passed"] + said["duplicated"]
        assert DATAGRAMS - len(up) == said["lost"] > 0
        assert said["reordered"] > 0
        assert said["unplaced"] == said["unsendable"] == 0
        # The next window begins with nothing.
        assert control.window()["up"]["passed"] == 0


def test_every_client_gets_its_own_answers(link_program):
    with (
        bound() as server,
        bound() as one,
        bound() as other,
        link.relayed(server.getsockname(), Conditions(delay=0.01)) as (address, _),
    ):
        for client, message in ((one, b"one"), (other, b"other")):
            client.sendto(message, address)
        begun = time.monotonic()
        for _ in range(2):
            message, source = server.recvfrom(100)
            server.sendto(message.upper(), source)
        assert one.recv(100) == b"ONE"
        assert other.recv(100) == b"OTHER"
        # Never earlier than the way takes: the answers could not have been sent before.
        assert time.monotonic() - begun >= 0.01


def test_ipv6_passes_too(link_program):
    with (
        bound("::1") as server,
        bound("::1") as client,
        link.relayed(server.getsockname()[:2], Conditions()) as (address, _),
    ):
        client.sendto(b"question", address)
        message, source = server.recvfrom(100)
        server.sendto(message[::-1], source)
        assert client.recv(100) == b"noitseuq"


def test_a_full_queue_drops_and_the_rate_is_not_exceeded(link_program):
    slow = Conditions(rate=10_000_000, queue=20_000)
    with bound() as server, bound() as client, link.relayed(server.getsockname(), slow) as (address, control):
        begun = time.monotonic()
        came = carried(control, client, address, server)
        took = time.monotonic() - begun
        said = control.window()["up"]
        assert said["dropped"] == DATAGRAMS - len(came) > 0
        assert said["passed_bytes"] * 8 <= slow.rate * took
        assert said["queue_peak_bytes"] <= slow.queue


def test_what_it_cannot_do_it_says(link_program):
    with bound() as server, link.relayed(server.getsockname(), Conditions()) as (_, control):
        assert "there is no condition" in control.process.command("set speed=1", "error")["message"]
        assert "window" in control.process.command("go", "error")["message"]
        control.set(Conditions(loss=1), "down")
        assert control.process.stop() == 0
        assert control.process.wait_for("result")["up"]["passed"] == 0


@pytest.mark.parametrize(("near", "far"), [("10.178.0.1/30", "10.178.0.2/30"), ("fd78::1/64", "fd78::2/64")])
def test_whole_networks_are_joined(link_program, go_programs, network_namespaces, near, far):
    """TCP over a link that loses, delays, reorders and duplicates: bytes are what they were, in both directions."""
    conditions = Conditions(rate=200_000_000, delay=0.001, loss=0.002, reorder=0.01, reorder_by=0.001, duplicate=0.02)
    host = far.split("/")[0]
    with (
        link.joined(near, far, conditions) as (here, there, control),
        ends.target((host,), (), there.inside) as (_, services),
        ThreadPoolExecutor() as pool,
    ):

        def inside(transfer, service):
            with here.entered():
                transfer(None, services[6 if ":" in host else 4][service], 4_000_000)

        for done in [
            pool.submit(inside, conversation.download, "source"),
            pool.submit(inside, conversation.upload, "digest"),
        ]:
            done.result()
        said = control.window()
        for way in ("up", "down"):
            assert said[way]["passed_bytes"] > 4_000_000
            assert said[way]["lost"] > 0 < said[way]["duplicated"]
            assert said[way]["reordered"] > 0 == said[way]["unplaced"]


def until_passed(control, count):
    while passed(control, "down")["passed_bytes"] < count:
        time.sleep(0.01)


def test_the_rate_changes_under_a_transfer(link_program, go_programs, network_namespaces):
    fast = Conditions(rate=100_000_000, delay=0.002)
    slow = Conditions(rate=5_000_000, delay=0.002)
    with (
        link.joined("10.178.0.1/30", "10.178.0.2/30", fast) as (here, there, control),
        ends.target(("10.178.0.2",), (), there.inside) as (_, services),
    ):

        def transfer():
            with here.entered():
                conversation.download(None, services[4]["source"], 12_000_000)

        with ThreadPoolExecutor() as pool:
            done = pool.submit(transfer)
            until_passed(control, 1_000_000)
            control.set(slow)
            begun, before = time.monotonic(), control.window()["down"]["passed_bytes"]
            until_passed(control, 300_000)
            # What was on its way at the change came as it would have.
            slowly = control.window()["down"]["passed_bytes"] - fast.rate / 8 * ON_THE_WAY
            assert slowly * 8 <= slow.rate * (time.monotonic() - begun)
            assert before + slowly < 12_000_000
            control.set(fast)
            done.result()
