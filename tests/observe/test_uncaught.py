"""What nobody catches on the event loop."""

import asyncio
import gc
import io
import json

from awgproxy.observe import log
from awgproxy.observe.uncaught import log_uncaught


async def test_a_task_that_nobody_waits_for_and_that_fails_is_one_entry():
    async def fail():
        raise LookupError("nobody expected this")

    stream = io.StringIO()
    log.configure(stream=stream)
    log_uncaught()
    await asyncio.wait([asyncio.create_task(fail())])
    gc.collect()
    (entry,) = map(json.loads, stream.getvalue().splitlines())
    assert entry["level"] == "error"
    assert entry["where"] == "Task exception was never retrieved"
    assert "nobody expected this" in entry["exception"]
