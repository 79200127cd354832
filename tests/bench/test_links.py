"""Links and the yardstick on them."""

from __future__ import annotations

import pytest

from bench.measures.place import Place
from bench.scenarios import LINKS, SCENARIOS, Link
from bench.systems.system import System, tcp_share


def test_a_queue_of_one_bandwidth_delay_product():
    assert Link.with_one_bdp(500e6, 0.050, 0.01).queue == 3_125_000


def test_the_share_of_a_full_packet_that_is_payload():
    assert tcp_share(1500) == 1448 / 1500
    assert tcp_share(1420, around=60) == 1368 / 1480
    assert tcp_share(1420, around=60, options=0) == 1380 / 1480


def test_the_yardstick_is_what_the_link_could_carry_of_payload():
    system = System(None, None, {}, [], share=0.9)
    assert Place(system, SCENARIOS["50ms-1%"], 4).share(450e6) == pytest.approx(1)
    assert Place(system, SCENARIOS["queue-1MB"], 4).share(90e6) == pytest.approx(0.5)


def test_a_transfer_is_let_get_going():
    assert SCENARIOS["loopback"].warmup == 1
    assert [SCENARIOS[name].warmup for name in LINKS] == [3, 3, 3, 4, 3]
