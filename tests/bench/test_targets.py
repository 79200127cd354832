"""The rows of the targets: what they hold against what."""

from __future__ import annotations

import dataclasses

import pytest

from bench.results import Summary
from bench.scenarios import SCENARIOS
from bench.systems import SYSTEMS
from bench.targets import TARGETS, Target, verdicts

ROW = Target("loopback", "one stream, down", "down", ">=", 2.5, ("rival",))


def judged(monkeypatch, target, **systems):
    """The verdict on a row, of figures by system."""
    monkeypatch.setattr("bench.targets.TARGETS", [target])
    (verdict,) = verdicts(Summary({"loopback": systems}, {}, [], 1))
    return verdict


@pytest.mark.parametrize(("ours", "word"), [(5.0, "met"), (4.9, "MISSED"), (6, "met")])
def test_a_ratio_at_least(monkeypatch, ours, word):
    verdict = judged(monkeypatch, ROW, quic={"down": ours}, rival={"down": 2})
    assert (verdict.word, verdict.value) == (word, ours / 2)


@pytest.mark.parametrize(("ours", "word"), [(5.0, "met"), (5.1, "MISSED")])
def test_a_ratio_at_most(monkeypatch, ours, word):
    assert judged(monkeypatch, dataclasses.replace(ROW, sign="<="), quic={"down": ours}, rival={"down": 2}).word == word


def test_of_several_the_best_counts(monkeypatch):
    row = dataclasses.replace(ROW, against=("rival", "hysteria2", "shadowsocks"))
    figures = {"quic": {"down": 5}, "rival": {"down": 1}, "hysteria2": {"down": 4}}
    assert judged(monkeypatch, row, **figures).value == 5 / 4
    assert judged(monkeypatch, dataclasses.replace(row, sign="<="), **figures).value == 5


def test_a_difference(monkeypatch):
    row = dataclasses.replace(ROW, sign="<=", bound=0.1, by="difference")
    verdict = judged(monkeypatch, row, quic={"down": 1.25}, rival={"down": 1.0})
    assert (verdict.word, verdict.value) == ("MISSED", 0.25)


def test_without_anybody_the_figure_itself_is_held_to_the_bound(monkeypatch):
    row = dataclasses.replace(ROW, against=(), bound=0.85)
    assert judged(monkeypatch, row, quic={"down": 0.86}).word == "met"


def test_another_figure_of_theirs(monkeypatch):
    row = dataclasses.replace(ROW, their_figure="client")
    assert judged(monkeypatch, row, quic={"down": 5}, rival={"down": 9, "client": 1}).value == 5


@pytest.mark.parametrize("systems", [{}, {"quic": {"down": 1}}, {"rival": {"down": 1}}])
def test_what_is_missing_is_neither_met_nor_missed(monkeypatch, systems):
    assert judged(monkeypatch, ROW, **systems).word == "not measured"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.scenario} {target.figure} {target.against}")
def test_every_row_is_of_what_there_is(target):
    assert target.scenario in SCENARIOS
    assert {target.ours, *target.against} <= {*SYSTEMS}
