"""The way to the endpoints: what the kernel says, and what of it counts."""

import asyncio
import socket
import sys

import pytest

from awgproxy.config.values import Endpoint
from awgproxy.session import network
from awgproxy.session.network import NetworkWatch, own_address
from interop.counterparts import namespaces
from tests.session.running import named

ONE, OTHER = Endpoint("192.0.2.1", 51820), Endpoint("2001:db8::1", 51820)


@pytest.fixture
def kernel(monkeypatch):
    """What the test says in the kernel's place."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    monkeypatch.setattr(network, "_what_the_kernel_says", lambda: ours)
    yield theirs
    theirs.close()


class Ways:
    """Own addresses by endpoint, the endpoints that are watched, and how often they changed."""

    def __init__(self):
        self.own = {ONE: "192.0.2.200"}
        self.endpoints = [ONE]
        self.changes = 0
        self.looks = 0

    def look(self, endpoint):
        self.looks += 1
        return self.own.get(endpoint)

    def changed(self):
        self.changes += 1

    def watch(self):
        return NetworkWatch(lambda: self.endpoints, self.changed, self.look)


async def heard(kernel, times=1):
    """Have the kernel say something, and let it be heard."""
    for _ in range(times):
        kernel.send(b"something about a route")
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def settled(watch):
    """What the kernel has said is heard, and it has been silent since."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    while watch._settling is not None:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.001)


@pytest.fixture
def settled_at_once(monkeypatch):
    monkeypatch.setattr(network, "SETTLE_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("192.0.2.200", "192.0.2.200", 0),
        ("192.0.2.200", "198.51.100.7", 1),
        ("192.0.2.200", None, 0),
        (None, "192.0.2.200", 1),
    ],
)
async def test_only_another_way_counts(kernel, before, after, changes):
    ways = Ways()
    ways.own[ONE] = before
    with ways.watch():
        ways.own[ONE] = after
        await heard(kernel)
        assert ways.changes == changes


async def test_a_link_that_is_back_counts_also_with_the_same_address(kernel, settled_at_once):
    ways = Ways()
    with ways.watch() as watch:
        for own in (None, "192.0.2.200"):
            ways.own[ONE] = own
            await heard(kernel)
            await settled(watch)
        assert ways.changes == 1


async def test_while_the_kernel_has_much_to_say_it_is_looked_once_in_a_while_and_at_the_end(kernel, monkeypatch):
    monkeypatch.setattr(network, "SETTLE_SECONDS", 3600.0)
    ways = Ways()
    with ways.watch() as watch:
        known = ways.looks
        for _ in range(20):
            await heard(kernel, 5)
        assert ways.looks == known + 1
        ways.own[ONE] = "198.51.100.7"
        monkeypatch.setattr(network, "SETTLE_SECONDS", 0.0)
        watch._settling.cancel()
        watch._settled()
        assert (ways.changes, ways.looks) == (1, known + 2)
        watch._settling.cancel()
        watch._settled()
        assert watch._settling is None  # nothing wakes while nothing changes
        assert ways.looks == known + 2


async def test_an_endpoint_that_is_new_is_no_change_of_the_network(kernel):
    ways = Ways()
    with ways.watch() as watch:
        ways.endpoints, ways.own[OTHER] = [OTHER], "2001:db8::200"
        watch.endpoints_changed()
        await heard(kernel)
        assert ways.changes == 0


async def test_without_the_kernels_word_it_does_without(monkeypatch, entries):
    def refuse():
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(network, "_what_the_kernel_says", refuse)
    with Ways().watch() as watch:
        watch.endpoints_changed()
    (entry,) = named(entries, "changes of the network go unnoticed")
    assert (entry["log_level"], entry["reason"]) == ("debug", "Operation not permitted")


def test_the_own_address_is_the_kernels_choice():
    assert own_address(Endpoint("127.0.0.1", 9)) == "127.0.0.1"
    assert own_address(Endpoint("255.255.255.255", 9)) is None
    assert own_address(Endpoint("127.0.0.1", 9), mark=7) == "127.0.0.1"


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
async def test_a_real_kernel_says_when_an_address_comes_and_goes(network_namespaces):
    changed = asyncio.Event()
    with namespaces.namespace() as made:
        made.ip("link add wan type veth peer name nowhere")
        made.ip("link set nowhere up")
        made.ip("addr add 192.0.2.9/24 dev wan")
        made.ip("link set wan up")
        with made.entered(), NetworkWatch(lambda: [ONE], changed.set) as watch:
            made.ip("addr add 198.51.100.9/24 dev wan")  # not on the way
            made.ip("addr add 192.0.2.10/24 dev wan")
            await settled(watch)
            assert not changed.is_set()
            made.ip("addr del 192.0.2.9/24 dev wan")
            made.ip("addr add 192.0.2.11/24 dev wan")
            await asyncio.wait_for(changed.wait(), 60)
            await settled(watch)
            changed.clear()
            made.ip("link set wan down")
            await settled(watch)
            assert not changed.is_set()
            made.ip("link set wan up")
            await asyncio.wait_for(changed.wait(), 60)
