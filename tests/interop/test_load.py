"""The load of `make bench`: its clocks are read after the fact, when a short load is long over."""

from __future__ import annotations

import pytest

from bench import accounting
from interop.counterparts import ends
from interop.counterparts.processes import Process


@pytest.mark.parametrize(("kind", "service"), [("connections", "echo"), ("first-byte", "source")])
def test_a_load_that_is_over_has_its_clock_until_it_is_let_go(go_programs, kind, service):
    options = ["-count", "1", "-warmup", "0s", "-duration", "1ms"]
    with ends.target(("127.0.0.1",), ()) as (_, services):
        target = ends.join(*services[4][service])
        with Process(f"load {kind}", [go_programs / "load", kind, "-target", target, *options]) as load:
            load.wait_for("result")
            # That it answers shows that it stays, not only that it has not gone yet.
            assert load.command("stay", "error")["reason"] == "unknown command"
            assert accounting.cpu_seconds(load.pid) >= 0
        assert not load.running
