"""One request, and then nothing: what is seen afterwards is the tunnel's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.traffic.connection import Application


async def run(application: Application) -> None:
    """Ask once, close, and wait until the time is over."""
    async with application.connection() as connection:
        await connection.exchange(400, 5_000)
    await application.rest(application.left)
