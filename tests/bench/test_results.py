"""What is kept of a run, what is taken up again, and medians."""

from __future__ import annotations

import pytest

from bench.measuring import Choice, measure_all
from bench.noise import Noise
from bench.results import Case, Outcome, ResultsError, Run, summary

ABOUT = {"machine": "one", "seconds": 4}
CASE = Case("loopback", "quic", "bulk", 1)


@pytest.fixture
def run(tmp_path):
    return Run.begin("20260101-000000", ABOUT, tmp_path)


def test_what_is_kept_comes_back(run):
    outcome = Outcome({"down_1_gbit": 2.5}, Noise(1, 2), 3, "")
    run.keep(CASE, outcome)
    assert run.outcome(CASE) == outcome
    assert [*run.outcomes()] == [(CASE, outcome)]


def test_a_case_is_done_when_it_has_numbers(run):
    assert not run.done(CASE)
    run.keep(CASE, Outcome({}, failure="it did not start"))
    assert not run.done(CASE)
    run.keep(CASE, Outcome({"x": 1}))
    assert run.done(CASE)


def test_a_file_that_was_cut_short_is_measured_again(run):
    run.keep(CASE, Outcome({"x": 1}))
    path = run.folder / CASE.path
    path.write_text(path.read_text()[:20])
    assert not run.done(CASE)
    assert [*run.outcomes()] == []


def test_the_latest_run_is_taken_up(run, tmp_path):
    later = Run.begin("20260102-000000", ABOUT, tmp_path)
    assert Run.latest(tmp_path) == later
    later.require({"seconds": 4})
    with pytest.raises(ResultsError, match="seconds = 4, not 2"):
        later.require({"seconds": 2})


def test_without_a_run_there_is_none_to_take_up(tmp_path):
    with pytest.raises(ResultsError, match="no run"):
        Run.latest(tmp_path)


def test_a_resumed_run_measures_only_what_is_missing(run, monkeypatch):
    measured = []

    def once(case, _tunnel, _seconds):
        measured.append(case.system)
        return Outcome({"x": 1})

    monkeypatch.setattr("bench.measuring.once", once)
    run.keep(Case("loopback", "quic", "udp", 1), Outcome({"x": 2}))
    run.keep(Case("loopback", "ip", "udp", 1), Outcome({}, failure="it fell over"))
    measure_all(run, Choice(["loopback"], ["direct", "quic", "ip"], ["udp"], rounds=1), None, 1, tries=1)
    assert measured == ["direct", "ip"]


def test_medians_are_over_the_rounds_that_have_numbers(run):
    for number, value in enumerate((3, 1, 2), 1):
        run.keep(Case("loopback", "quic", "bulk", number), Outcome({"x": value, f"only_{number}": value}))
    run.keep(Case("loopback", "rival", "bulk", 1), Outcome({}, failure="not\nbuilt"))
    found = summary(run)
    assert found.get("loopback", "quic", "x") == 2
    assert found.get("loopback", "quic", "only_1") == 3
    assert found.get("loopback", "rival", "x") is None
    assert found.failures == {("loopback", "rival"): "bulk: not\nbuilt"}
    assert found.rounds == 3


def test_the_peak_of_memory_is_the_larger_of_both_directions(run):
    for direction, peak in (("down", 40), ("up", 50)):
        numbers = {f"{direction}_8_peak_client_mb": peak}
        run.keep(Case("loopback", "quic", f"{direction}-8", 1), Outcome(numbers))
        run.keep(Case("loopback", "rival", "down-8", 1), Outcome({"down_8_peak_client_mb": 90}))
    found = summary(run)
    assert found.get("loopback", "quic", "peak_8_client_mb") == 50
    assert found.get("loopback", "rival", "peak_8_client_mb") is None


def test_systems_have_their_turns_and_only_where_they_say_something():
    cases = [*Choice(["loopback", "50ms-0%"], ["direct", "quic", "rival-bbr", "3.x"], ["down-1", "memory"], 2).cases()]
    assert [(case.scenario, case.measure, case.system) for case in cases if case.round == 2] == [
        ("loopback", "down-1", "direct"),
        ("loopback", "down-1", "quic"),
        ("loopback", "down-1", "3.x"),
        ("loopback", "memory", "quic"),
        ("50ms-0%", "down-1", "direct"),
        ("50ms-0%", "down-1", "quic"),
        ("50ms-0%", "down-1", "rival-bbr"),
    ]
    assert len(cases) == 14
