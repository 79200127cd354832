"""An application's connections through its client's proxy (RFC 1928), and its clock and dice."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from interop.counterparts import socks
from scorecard.traffic.target import HEAD, PIECE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

    from interop.counterparts.ends import Address

REPLY = 2 + 10  # the method, and the reply with an IPv4 address


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to the target."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def exchange(self, send: int, receive: int) -> None:
        """Send a request of that many bytes and take an answer of that many. Raises OSError, IncompleteReadError."""
        self.writer.write(HEAD.pack(max(0, send - HEAD.size), receive))
        left = max(0, send - HEAD.size)
        while left:
            self.writer.write(bytes(min(left, PIECE)))
            left -= min(left, PIECE)
            await self.writer.drain()
        while receive:
            receive -= len(await self.reader.readexactly(min(receive, PIECE)))


@dataclass(frozen=True, slots=True)
class Application:
    """What a kind of traffic is given: the proxy, the target, when to end, and randomness of its own."""

    proxy: Address
    target: Address
    until: float
    random: Random

    @classmethod
    def starting(cls, proxy: Address, target: Address, seconds: float, random: Random) -> Self:
        """One that begins now."""
        return cls(proxy, target, time.monotonic() + seconds, random)

    @property
    def left(self) -> float:
        """Seconds to its end; negative after it."""
        return self.until - time.monotonic()

    async def rest(self, seconds: float) -> None:
        """Do nothing for a while, but not beyond the end."""
        await asyncio.sleep(max(0.0, min(seconds, self.left)))

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to the target. Raises OSError where the proxy or the tunnel fails."""
        reader, writer = await asyncio.open_connection(*self.proxy)
        try:
            writer.write(socks.opening(self.target))
            reply = await reader.readexactly(REPLY)
            if reply[3] != 0:
                raise ConnectionError(f"the proxy replied {reply[3]}")
            yield Connection(reader, writer)
        finally:
            writer.close()
