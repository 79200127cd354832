"""The emulated link (bench/link), and what runs at its ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.counterparts import programs
from tests.built import awgproxy, built, give_time_to_build, go_programs
from tests.required import require

__all__ = ["awgproxy", "go_programs"]


def pytest_collection_modifyitems(items):
    give_time_to_build(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def link_program():
    require(sys.platform == "linux", "emulated links need Linux")
    return built(programs.link)
