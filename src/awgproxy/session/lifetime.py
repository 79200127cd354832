"""How a session ends: a first signal drains it, a second one ends it at once.

The signals are SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal closes). SIGHUP that was ignored before stays ignored:
what `nohup` starts outlives its terminal.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Self

import structlog

from awgproxy.errors import TunnelError
from awgproxy.session.open_connections import OpenConnections

if TYPE_CHECKING:
    from types import TracebackType

    from awgproxy._native import EngineFailed

DRAIN_SECONDS = 5.0
"""How long running connections may go on after the first signal."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks for the end."""

log = structlog.get_logger()


class Lifetime:
    """Watches `SIGNALS` while it is entered, and waits for connections that are open."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Event()
        self.connections = OpenConnections()
        self._failure: Exception | None = None
        self._taken: list[signal.Signals] = []

    def __enter__(self) -> Self:
        """Take the signals over."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            loop.add_signal_handler(number, self.hang_up if number is signal.SIGHUP else self.stop)
            self._taken.append(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in self._taken:
            loop.remove_signal_handler(number)
        self._taken.clear()

    def stop(self) -> None:
        """What a signal does: the first call asks for the end, the second for it at once."""
        if self._stopping.is_set():
            log.info("ending at once")
            self._at_once.set()
        self._stopping.set()

    def hang_up(self) -> None:
        """What SIGHUP does: asks for the end, and hurries nothing, since a closing terminal sends it more than once."""
        self._stopping.set()

    def engine_failed(self, event: EngineFailed) -> None:
        """End the session: without its engine nothing moves any more."""
        log.error("the engine failed", reason=event.message)
        self.fail(TunnelError(f"a defect of awgproxy ended the tunnel, please report it: {event.message}"))

    def fail(self, failure: Exception) -> None:
        """End the session at once, with an error that `until_stopped` or `drain` raises."""
        self._failure = failure
        self._at_once.set()
        self._stopping.set()

    async def until_stopped(self) -> None:
        """Wait for the end to be asked for.

        Raises:
            Exception: what `fail` was given.
        """
        await self._stopping.wait()
        if self._failure is not None:
            raise self._failure

    async def drain(self) -> None:
        """Wait for the open connections, `DRAIN_SECONDS` at most or until a second signal.

        Raises:
            Exception: what `fail` was given meanwhile.
        """
        if not len(self.connections):
            return
        log.info("waiting for open connections", connections=len(self.connections), seconds=DRAIN_SECONDS)
        waits = [asyncio.ensure_future(event.wait()) for event in (self.connections.none_is_open, self._at_once)]
        await asyncio.wait(waits, timeout=DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self._failure is not None:
            raise self._failure
