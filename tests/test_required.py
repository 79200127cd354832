"""What becomes of tests on a machine that lacks something they need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.required import require

ROOT = Path(__file__).parents[1]
NEEDS_NAMESPACES = "tests/system/test_proxy.py::test_a_silent_target_times_out[ip]"


@pytest.mark.skipif(sys.platform != "linux", reason="CI demands everything on Linux only")
def test_what_is_missing_skips_a_test_and_fails_it_in_ci(monkeypatch):
    require(True, "nothing")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="a tool"):
        require(None, "a tool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a tool"):
        require(None, "a tool")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are no namespaces in any case")
@pytest.mark.parametrize(("ci", "outcome"), [("false", "1 skipped"), ("true", "1 error")])
def test_a_machine_without_network_namespaces_is_told_of_in_one_line(tmp_path, ci, outcome):
    """As root in a container may find it: `ip` is there and is not permitted to."""
    ip = tmp_path / "ip"
    ip.write_text("#!/bin/sh\necho 'mount --make-shared /run/netns failed: Operation not permitted' >&2\nexit 1\n")
    ip.chmod(0o755)
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", NEEDS_NAMESPACES],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path), "CI": ci, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in finished.stdout.splitlines()[-1]
    told = [line for line in finished.stdout.splitlines() if line.startswith(("SKIPPED", "ERROR"))]
    assert len(told) == 1
    assert "/run/netns failed: Operation not permitted" in told[0]
