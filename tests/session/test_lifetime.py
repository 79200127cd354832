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


async def in_turn(*steps):
    """Run each step in a task of its own; gives their numbers in the order in which they ended."""
    ended = []

    async def run(number, step):
        await step
        ended.append(number)

    async with asyncio.TaskGroup() as group:
        for number, step in enumerate(steps):
            group.create_task(run(number, step))
    return ended


async def test_draining_waits_for_the_last_connection():
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        lifetime.connection_opened()
        lifetime.stop()

        async def close():
            lifetime.connection_closed()

        assert await in_turn(lifetime.drain(), close(), close()) == [1, 2, 0]


async def test_a_second_signal_ends_it_at_once():
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        lifetime.stop()

        async def stop_again():
            lifetime.stop()

        assert await in_turn(lifetime.drain(), stop_again()) == [1, 0]


async def test_draining_is_bounded(monkeypatch):
    monkeypatch.setattr(lifetime_module, "DRAIN_SECONDS", 0.01)
    with Lifetime() as lifetime:
        lifetime.connection_opened()
        await lifetime.drain()


async def test_a_failure_is_raised():
    with Lifetime() as lifetime:
        lifetime.fail(TunnelError("lost"))
        with pytest.raises(TunnelError, match="lost"):
            await lifetime.until_stopped()
