"""The memory of a process that has come to rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench import accounting

if TYPE_CHECKING:
    from interop.counterparts.processes import Process

REST_SECONDS = 3.0
"""More than an idle connection waits before it gives its memory back."""
LONGEST_SECONDS = 20.0


def at_rest(process: Process) -> int:
    """Bytes that it holds resident, once it holds the same at two looks, or it is late."""
    deadline = time.monotonic() + LONGEST_SECONDS
    before = accounting.memory(process.pid)
    while True:
        time.sleep(REST_SECONDS)
        now = accounting.memory(process.pid)
        if now == before or time.monotonic() > deadline:
            return now
        before = now
