"""Small messages both ways every second or so on one connection, as of a chat or a game."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.traffic.connection import Application

GAP = (0.3, 1.0)


async def run(application: Application) -> None:
    """Exchange messages until the time is over."""
    dice = application.random
    async with application.connection() as connection:
        while application.left > 0:
            await connection.exchange(dice.randint(20, 300), dice.randint(20, 300))
            await application.rest(dice.uniform(*GAP))
