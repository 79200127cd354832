"""Pages: a few connections at once, small requests and answers of very different sizes, then time to read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.traffic.connection import Application

MEAN_READING = 9.0
MOST_CONNECTIONS, MOST_REQUESTS = 4, 4
LARGEST_ANSWER = 150_000


async def run(application: Application) -> None:
    """Load pages until the time is over."""
    dice = application.random
    while application.left > 0:
        await asyncio.gather(*(_load(application) for _ in range(dice.randint(1, MOST_CONNECTIONS))))
        await application.rest(1 + dice.expovariate(1 / MEAN_READING))


async def _load(application: Application) -> None:
    dice = application.random
    async with application.connection() as connection:
        for _ in range(dice.randint(1, MOST_REQUESTS)):
            answer = min(LARGEST_ANSWER, int(dice.lognormvariate(8.5, 1.5)))
            await connection.exchange(dice.randint(150, 900), answer)
