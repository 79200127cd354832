"""Fixtures: the counterparts, built once; a skip of one line where a tool is missing, a failure where CI=true."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from interop.counterparts import namespaces, programs

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Building counterparts is charged to the test that needs them first: give it the time."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


def require(condition, reason):
    if not condition:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def built(build):
    try:
        return build()
    except programs.MissingToolError as missing:
        require(False, str(missing))


@pytest.fixture(scope="session")
def go_programs():
    require(sys.platform == "linux", "the counterparts run on Linux")
    return built(programs.go_programs)


@pytest.fixture(scope="session")
def boringtun():
    require(sys.platform == "linux", "the counterparts run on Linux")
    return built(programs.boringtun)


@pytest.fixture(scope="session")
def awgproxy():
    return built(programs.awgproxy)


@pytest.fixture(scope="session")
def root():
    require(os.geteuid() == 0, "network namespaces need root")


@pytest.fixture
def internet(root):
    """The test and all that it starts are in a network of their own, which has the internet's addresses."""
    with namespaces.namespace() as own:
        namespaces.internet(own)
        with own.entered():
            yield
