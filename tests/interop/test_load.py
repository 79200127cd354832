"""The load of `make bench`: its clocks are read after the fact, when a short load is long over; what arrives counts."""

from __future__ import annotations

import pytest

from bench import accounting
from interop.counterparts import ends
from interop.counterparts.processes import Process

SHORT = ("-warmup", "0s", "-duration", "200ms")


@pytest.fixture
def services(go_programs):
    with ends.target(("127.0.0.1",), ()) as (_, services):
        yield services[4]


def load(go_programs, kind, service, *options):
    return Process(f"load {kind}", [go_programs / "load", kind, "-target", ends.join(*service), *options])


@pytest.mark.parametrize(("kind", "service"), [("connections", "echo"), ("first-byte", "source")])
def test_a_load_that_is_over_has_its_clock_until_it_is_let_go(go_programs, services, kind, service):
    options = ["-count", "1", "-warmup", "0s", "-duration", "1ms"]
    with load(go_programs, kind, services[service], *options) as process:
        process.wait_for("result")
        # That it answers shows that it stays, not only that it has not gone yet.
        assert process.command("stay", "error")["reason"] == "unknown command"
        assert accounting.cpu_seconds(process.pid) >= 0
    assert not process.running


@pytest.mark.parametrize(("direction", "service"), [("down", "source"), ("up", "meter")])
def test_bulk_counts_what_arrives(go_programs, services, direction, service):
    with load(go_programs, "bulk", services[service], "-direction", direction, *SHORT) as process:
        assert process.wait_for("result")["bytes"] > 0


def test_round_trips_say_what_moved_beside_them(go_programs, services):
    beside = ["-bulk-target", ends.join(*services["source"]), *SHORT]
    with load(go_programs, "round-trips", services["echo"], *beside) as process:
        result = process.wait_for("result")
    assert result["bytes"] > 0
    assert 0 < result["p50_us"] <= result["p95_us"] <= result["p99_us"]


def test_datagrams_that_come_back_are_counted(go_programs, services):
    with load(go_programs, "datagrams", services["datagrams"], "-streams", "2", "-workers", "8", *SHORT) as process:
        result = process.wait_for("result")
    assert result["samples"] > 0
    assert result["per_second"] > 0
