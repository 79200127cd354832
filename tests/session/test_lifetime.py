"""Signals, draining and failure."""

import asyncio
import os
import signal

import pytest

from awgproxy.errors import TunnelError
from awgproxy.session import lifetime as lifetime_module
from awgproxy.session.lifetime import Lifetime


async def test_a_signal_asks_for_the_end():
    with Lifetime() as lifetime:
        os.kill(os.getpid(), signal.SIGTERM)
        await lifetime.until_stopped()
        await lifetime.drain()


async def test_draining_waits_for_the_last_connection():
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        lifetime.stop()
        draining = asyncio.ensure_future(lifetime.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        lifetime.connection_closed()
        await draining


async def test_a_second_signal_ends_it_at_once():
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        lifetime.stop()
        draining = asyncio.ensure_future(lifetime.drain())
        await asyncio.sleep(0)
        lifetime.stop()
        await draining
        assert lifetime.open_connections == 1


async def test_draining_is_bounded(monkeypatch):
    monkeypatch.setattr(lifetime_module, "DRAIN_SECONDS", 0.01)
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        await lifetime.drain()
        assert lifetime.open_connections == 1


async def test_a_failure_is_raised():
    with Lifetime() as lifetime:
        lifetime.fail(TunnelError("lost"))
        with pytest.raises(TunnelError, match="lost"):
            await lifetime.until_stopped()
