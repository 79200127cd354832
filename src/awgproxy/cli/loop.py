"""The event loop of ``client`` and ``server``, and what is said where none can be made."""

from __future__ import annotations

import asyncio
import selectors
import socket
from typing import TYPE_CHECKING

import uvloop

from awgproxy.cli import lean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from awgproxy.config import Config


def run_session(session: Callable[[Config], Coroutine[object, object, None]], config: Config) -> None:
    """Run `session` to its end, in a loop of its own.

    Raises:
        OSError: no loop can be made, as where no descriptor is left.
        AwgProxyError: what the session raises.
    """
    _require_descriptors()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop()  # before there is a coroutine that would never be awaited
        lean.started()
        runner.run(session(config))


def _require_descriptors() -> None:
    """Raise OSError where a loop would lack them: one that is half made complains again when it is collected."""
    with selectors.DefaultSelector():
        for one in socket.socketpair():
            one.close()
