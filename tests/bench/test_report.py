"""What people read of a run."""

from __future__ import annotations

import dataclasses

import pytest

from bench.noise import Noise
from bench.report import page, tables
from bench.results import Summary
from bench.targets import Target, Verdict

TARGET = Target("loopback", "one stream, down", "down_1_gbit", ">=", 2.5, ("rival",))
TIMES = "\N{MULTIPLICATION SIGN}"
SUMMARY = Summary(
    {"loopback": {"rival": {"down_1_gbit": 1.0}, "quic": {"down_1_gbit": 2.61, "up_1_gbit": 3}}},
    {("loopback", "hysteria2"): "bulk: Go is not\ninstalled"},
    [Noise(0, 1), Noise(2, 30), Noise(1, 3)],
    3,
)


def test_a_target_is_a_row_with_its_verdict():
    text = tables.targets([Verdict(TARGET, 2.61, 1.0, 2.61), Verdict(TARGET, 2, 1, 2), Verdict(TARGET, 2, None, None)])
    assert text.splitlines()[2:] == [
        f"| loopback | one stream, down | 2.61 | rival | 1.00 | 2.61 | ≥ 2.5{TIMES} | met |",
        f"| loopback | one stream, down | 2.00 | rival | 1.00 | 2.00 | ≥ 2.5{TIMES} | **MISSED** |",
        f"| loopback | one stream, down | 2.00 | rival |  |  | ≥ 2.5{TIMES} | not measured |",
    ]


def test_a_scenario_is_a_table_of_figures_by_system():
    assert tables.scenario(SUMMARY, "loopback").splitlines() == [
        "|  | quic | rival |",
        "| --- | --- | --- |",
        "| down_1_gbit | 2.61 | 1.00 |",
        "| up_1_gbit | 3.00 |  |",
    ]


def test_what_is_missing_is_said_in_a_line():
    assert tables.failures(SUMMARY) == "- `hysteria2` in `loopback` is missing: bulk: Go is not installed"


def test_the_noise_is_said():
    assert "stole 1.0 % of the CPU time (median; at worst 2.0 %)" in tables.noise(SUMMARY)
    assert "1 of 3 cases" in tables.noise(SUMMARY)
    assert tables.noise(dataclasses.replace(SUMMARY, noises=[])) == "nothing was measured"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0, "0"), (0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (12345.6, "12346")]
)
def test_numbers(value, text):
    assert tables.number(value) == text


def test_readmes_section_is_what_is_between_the_marks():
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    assert page.replaced(text, "new") == f"before\n{page.BEGIN}\n\nnew\n\n{page.END}\nafter\n"
    with pytest.raises(ValueError, match="unpack"):
        page.replaced("no marks", "new")


def test_readme_has_the_marks():
    text = page.README.read_text()
    assert page.replaced(text, "x") != text
