"""What nothing on the event loop has caught: a defect, and an entry of the log like any other.

Asyncio by itself writes lines of its own to standard error, between the entries and past their limits.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

log = structlog.get_logger()


def log_uncaught() -> None:
    """Have the running loop log the exceptions that nothing catches."""
    asyncio.get_running_loop().set_exception_handler(_log)


def _log(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # What else the context holds may show what a connection carries.
    log.error("a defect of awgproxy, please report it", where=context["message"], exc_info=context.get("exception"))
