"""The counterparts, and a network of the test's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.counterparts import namespaces, programs
from tests.built import awgproxy, built, give_time_to_build, go_programs
from tests.required import require

__all__ = ["awgproxy", "go_programs"]


def pytest_collection_modifyitems(items):
    give_time_to_build(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def boringtun():
    require(sys.platform == "linux", "the counterparts run on Linux")
    return built(programs.boringtun)


@pytest.fixture
def internet(network_namespaces):
    """The test and all that it starts are in a network of their own, which has the internet's addresses."""
    with namespaces.namespace() as own:
        namespaces.internet(own)
        with own.entered():
            yield
