"""Signals, draining and failure."""

import asyncio
import os
import signal

import pytest

from awgproxy.errors import TunnelError
from awgproxy.session import lifetime as lifetime_module
from awgproxy.session.lifetime import Lifetime


@pytest.fixture
def hang_ups_are_heard():
    """What started the tests may ignore SIGHUP, as `nohup` does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def hang_ups_are_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_ups_are_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_asks_for_the_end(number):
    with Lifetime() as lifetime:
        assert signal.getsignal(number) is not signal.SIG_DFL, "it would end the tests"
        os.kill(os.getpid(), number)
        await lifetime.until_stopped()
        await lifetime.drain()


@pytest.mark.usefixtures("hang_ups_are_ignored")
async def test_a_hang_up_that_was_ignored_stays_ignored():
    with Lifetime():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_a_second_hang_up_hurries_nothing():
    with Lifetime() as lifetime:
        lifetime.connections.opened()
        lifetime.hang_up()
        lifetime.hang_up()

        async def close():
            lifetime.connections.closed()

        assert await in_turn(lifetime.drain(), close()) == [1, 0]


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
        lifetime.connections.opened()
        lifetime.connections.opened()
        lifetime.stop()

        async def close():
            lifetime.connections.closed()

        assert await in_turn(lifetime.drain(), close(), close()) == [1, 2, 0]


async def test_a_second_signal_ends_it_at_once():
    with Lifetime() as lifetime:
        lifetime.connections.opened()
        lifetime.stop()

        async def stop_again():
            lifetime.stop()

        assert await in_turn(lifetime.drain(), stop_again()) == [1, 0]


async def test_draining_is_bounded(monkeypatch):
    monkeypatch.setattr(lifetime_module, "DRAIN_SECONDS", 0.01)
    with Lifetime() as lifetime:
        lifetime.connections.opened()
        await lifetime.drain()


async def test_a_failure_is_raised():
    with Lifetime() as lifetime:
        lifetime.fail(TunnelError("lost"))
        with pytest.raises(TunnelError, match="lost"):
            await lifetime.until_stopped()
