"""A session on an engine in memory, in a task of its own."""

import asyncio
from contextlib import asynccontextmanager

from awgproxy.session.lifetime import Lifetime


@asynccontextmanager
async def running(make):
    """`make` gives a session for a lifetime; gives the lifetime and the session's task, and ends them."""
    lifetime = Lifetime()
    task = asyncio.create_task(make(lifetime).run())
    await asyncio.sleep(0)  # it has started, or failed
    try:
        yield lifetime, task
    finally:
        if not task.done():
            lifetime.stop()
            lifetime.stop()
            await task


def named(entries, event):
    """The entries of one event."""
    return [entry for entry in entries if entry["event"] == event]
