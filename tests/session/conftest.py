"""What the sessions' tests share: an engine in memory, and the entries of the log."""

import pytest
import structlog

from awgproxy.egress import dialer, forwarder, named
from awgproxy.session import (
    client,
    connector,
    endpoints,
    events,
    journal,
    lifetime,
    network,
    outbound,
    quota,
    server,
    timestamps,
    tunnel,
)
from awgproxy.session.forwards import datagrams, exposed, streams
from tests.memory import MemoryEngine


@pytest.fixture
async def engine():
    made = MemoryEngine()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def draining_takes_for_ever(monkeypatch):
    """A session ends by what a test does, not by the time that it has."""
    monkeypatch.setattr(lifetime, "DRAIN_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def every_address_is_reachable(monkeypatch):
    """Which ones are is this machine's affair."""
    monkeypatch.setattr(endpoints, "own_address", lambda *_: "192.0.2.200")


@pytest.fixture
def entries(monkeypatch):
    """What is logged meanwhile, at every level, as dictionaries."""
    capture = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    for module in (
        client,
        connector,
        server,
        journal,
        lifetime,
        endpoints,
        events,
        network,
        quota,
        timestamps,
        tunnel,
        dialer,
        forwarder,
        named,
        streams,
        datagrams,
        exposed,
        outbound,
    ):
        monkeypatch.setattr(module, "log", logger)
    return capture.entries
