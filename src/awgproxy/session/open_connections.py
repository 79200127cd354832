"""How many connections are open, for whoever waits until none is."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class OpenConnections:
    """A count, and an event that is set while it is 0."""

    def __init__(self) -> None:
        self.none_is_open = asyncio.Event()
        self.none_is_open.set()
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def opened(self) -> None:
        """Count one."""
        self._count += 1
        self.none_is_open.clear()

    def closed(self) -> None:
        """Count one's end."""
        self._count -= 1
        if self._count <= 0:
            self.none_is_open.set()

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Count one until the end of the block."""
        self.opened()
        try:
            yield
        finally:
            self.closed()
