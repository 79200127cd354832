"""What goes through a client and a server on a link that harms packets arrives whole.

How fast is the benchmark's to say. `make test` moves little, `make test-lossy` a gigabyte each way.
"""

from __future__ import annotations

import time

import pytest

from interop.counterparts import conversation
from interop.counterparts.link import Conditions
from tests.lossy.pair import CARRIERS, linked

HARMED = Conditions(delay=0.002, loss=0.05, reorder=0.1, duplicate=0.02)
MOSTLY_LOST = Conditions(delay=0.002, loss=0.2)
FAST = Conditions(rate=100_000_000, queue=250_000, delay=0.005)
SLOW = Conditions(rate=5_000_000, queue=250_000, delay=0.005)


@pytest.fixture(scope="module", params=CARRIERS)
def pair(request, link_program, go_programs, awgproxy, network_namespaces, tmp_path_factory):
    with linked(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def long(value):
    return pytest.param(value, id="long", marks=[pytest.mark.lossy, pytest.mark.timeout(3600)])


@pytest.mark.parametrize("length", [pytest.param(10_000_000, id="short"), long(1_000_000_000)])
def test_what_arrives_each_way_is_what_was_sent(pair, length):
    with pair.under(HARMED, (conversation.download, "source", length), (conversation.upload, "digest", length)):
        pass
    window = pair.control.window()
    for harmed in (window["up"], window["down"]):
        assert harmed["lost"] > 0 < harmed["reordered"]
        assert harmed["duplicated"] > 0 == harmed["unplaced"] + harmed["unsendable"]


@pytest.mark.parametrize("length", [pytest.param(10_000, id="short"), long(1_000_000)])
def test_a_hundred_streams_at_once_end_whole_where_a_fifth_is_lost(pair, length):
    one = ((conversation.download, "source", length), (conversation.upload, "digest", length))
    with pair.under(MOSTLY_LOST, *one * 50):
        pass
    window = pair.control.window()
    assert window["up"]["lost"] > 0 < window["down"]["lost"]


@pytest.mark.parametrize("length", [pytest.param(20_000_000, id="short"), long(500_000_000)])
def test_transfers_go_on_while_the_rate_falls_and_rises(pair, length):
    with pair.under(FAST, (conversation.download, "source", length), (conversation.upload, "digest", length)):
        until_passed(pair, 2_000_000)
        pair.control.set(SLOW)
        pair.control.window()
        until_passed(pair, 400_000)
        pair.control.set(FAST)
        pair.control.window()
    after = pair.control.window()
    assert after["up"]["passed_bytes"] > 1_000_000 < after["down"]["passed_bytes"], "they were not over before"


def until_passed(pair, count):
    """Wait until so many bytes of the window have passed in each direction."""
    while True:
        window = pair.control.process.command("status", "status")
        if min(window["up"]["passed_bytes"], window["down"]["passed_bytes"]) > count:
            return
        time.sleep(0.01)
