"""Tools that cannot build the counterparts."""

import pytest

from interop.counterparts import programs


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """An empty folder, and the only one that programs are looked for in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("build", [programs.go_programs, programs.boringtun])
def test_a_tool_that_is_not_there_is_named(tools, monkeypatch, build):
    monkeypatch.setattr(programs, "BINARIES", tools)
    with pytest.raises(programs.MissingToolError, match=r"is not installed \(see https://"):
        build.__wrapped__()


def test_a_go_that_is_too_old_is_a_missing_tool_and_says_so_in_one_line(tools):
    go = tools / "go"
    go.write_text("#!/bin/sh\nprintf 'go: go.mod requires go >= 1.24.4\\n(running go 1.23.0)\\n' >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(programs.MissingToolError) as missing:
        programs.go_programs.__wrapped__()
    assert str(missing.value).endswith("go: go.mod requires go >= 1.24.4 (running go 1.23.0)")
