"""The emulated link (bench/link), built once; a skip of one line where a tool is missing, a failure where CI=true."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.counterparts import programs
from tests.required import require

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Building the link is charged to the test that needs it first: give it the time."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


def built(build):
    try:
        return build()
    except programs.MissingToolError as missing:
        require(False, str(missing))


@pytest.fixture(scope="session")
def link_program():
    require(sys.platform == "linux", "emulated links need Linux")
    return built(programs.link)


@pytest.fixture(scope="session")
def go_programs():
    require(sys.platform == "linux", "the counterparts run on Linux")
    return built(programs.go_programs)


@pytest.fixture(scope="session")
def awgproxy():
    return built(programs.awgproxy)
