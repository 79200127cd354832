"""Programs that tests need, built once: a skip of one line where a tool is missing, a failure where CI=true."""

from __future__ import annotations

import sys

import pytest

from interop.counterparts import programs
from tests.required import require


def built(build):
    try:
        return build()
    except programs.MissingToolError as missing:
        require(False, str(missing))


def give_time_to_build(items, folder):
    """Building is charged to the test that needs a program first."""
    for item in items:
        if folder in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def go_programs():
    require(sys.platform == "linux", "the counterparts run on Linux")
    return built(programs.go_programs)


@pytest.fixture(scope="session")
def awgproxy():
    return built(programs.awgproxy)
