"""Connects to the first of several addresses that answers (RFC 8305, section 5)."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from awgproxy.egress.direct import new_socket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from awgproxy.egress.source import SourceAddresses

STAGGER_SECONDS = 0.25
"""Between two attempts where none has failed (RFC 8305, section 5: Connection Attempt Delay)."""


class NothingAnswered(Exception):  # noqa: N818 - named as its outcome is
    """None of the addresses did; ``errors`` has what those said that said something."""

    def __init__(self, errors: Iterable[OSError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(error.strerror or str(error) for error in self.errors))


async def race(
    destinations: Iterable[tuple[str, int]], sources: SourceAddresses, seconds: float
) -> tuple[socket.socket, tuple[str, int]]:
    """A connected socket, which belongs to the caller, and where it leads.

    The addresses are tried in their order, each next one when the last failed or after `STAGGER_SECONDS`; all others
    are given up when one has answered, after `seconds`, or when the caller is cancelled.

    Raises:
        NothingAnswered: within that time.
    """
    attempts: dict[asyncio.Task[socket.socket], tuple[str, int]] = {}
    errors: list[OSError] = []
    try:
        async with asyncio.timeout(seconds):
            won = await _first(destinations, sources, attempts, errors)
        return won.result(), attempts.pop(won)
    except TimeoutError:
        raise NothingAnswered((*errors, TimeoutError())) from None
    finally:
        for attempt in attempts:
            attempt.cancel()
        for late in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(late, socket.socket):
                late.close()


async def _first(
    destinations: Iterable[tuple[str, int]],
    sources: SourceAddresses,
    attempts: dict[asyncio.Task[socket.socket], tuple[str, int]],
    errors: list[OSError],
) -> asyncio.Task[socket.socket]:
    """The attempt that won; all that run or ran are in `attempts`, what the others said in `errors`."""
    loop = asyncio.get_running_loop()
    untried = iter(destinations)
    running: set[asyncio.Task[socket.socket]] = set()
    left = True
    while left or running:
        destination = next(untried, None)
        if destination is None:
            left = False
        else:
            attempt = loop.create_task(_connect(destination, sources))
            attempts[attempt] = destination
            running.add(attempt)
        if not running:
            break
        done, running = await asyncio.wait(
            running, timeout=STAGGER_SECONDS if left else None, return_when=asyncio.FIRST_COMPLETED
        )
        for each in done:
            failed = each.exception()
            if failed is None:
                return each
            if not isinstance(failed, OSError):
                raise failed
            errors.append(failed)
    raise NothingAnswered(errors)


async def _connect(destination: tuple[str, int], sources: SourceAddresses) -> socket.socket:
    outer = new_socket(destination, socket.SOCK_STREAM, sources)
    try:
        await asyncio.get_running_loop().sock_connect(outer, destination)
    except BaseException:
        outer.close()
        raise
    return outer
