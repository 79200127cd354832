"""awgproxy score: the table, JSON, and what cannot be judged."""

import json

import pytest

from tests.config.texts import CLIENT, OWN_KEY, SERVER

from .command import awgproxy


def scored(tmp_path, text, *options):
    path = tmp_path / "some.conf"
    path.touch(mode=0o600)
    path.write_text(text)
    finished = awgproxy("score", path, *options)
    assert OWN_KEY not in finished.stdout + finished.stderr
    return finished


@pytest.mark.parametrize("text", [CLIENT, SERVER])
def test_the_table(tmp_path, text):
    finished = scored(tmp_path, text)
    assert (finished.returncode, finished.stderr) == (0, "")
    rows = finished.stdout.splitlines()
    assert rows[0].split() == ["1a", "fails", "nDPI", "4.2,", "whole", "flows"]
    assert any("change HeaderProtectionKey" in row for row in rows)
    assert all(len(row) <= 120 for row in rows)
    assert rows[-1].endswith("not-static")


def test_json(tmp_path):
    finished = scored(tmp_path, SERVER + "\n[Obfuscation later]\nListenPort = 6000\nS1 = 9\n", "--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    told = json.loads(finished.stdout)
    assert list(told) == ["Interface", "Obfuscation later"]
    first = told["Interface"][0]
    assert first.keys() == {"number", "test", "outcome", "reason", "keys"}
    assert first["number"] == "1a"
    assert {each["outcome"] for each in told["Interface"]} <= {"passes", "fails", "not-static"}


def test_several_sets_are_told_apart(tmp_path):
    finished = scored(tmp_path, SERVER + "\n[Obfuscation later]\nListenPort = 6000\nS1 = 9\n")
    assert [row for row in finished.stdout.splitlines() if row.startswith("[")] == [
        "[Interface]",
        "[Obfuscation later]",
    ]


def test_errors(tmp_path):
    finished = scored(tmp_path, CLIENT.replace("MTU = 1280", "MTUU = 1280"))
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "MTUU" in finished.stderr


def test_a_file_that_is_not_there(tmp_path):
    finished = awgproxy("score", tmp_path / "absent.conf")
    assert finished.returncode == 2
    assert "no such file" in finished.stderr
