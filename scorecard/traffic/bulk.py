"""Transfers at full speed, down and up, at the beginning and once more after a rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorecard.traffic.connection import Application

DOWN, UP = 1_500_000, 500_000
REST = (60, 90)
ROUNDS = 2


async def run(application: Application) -> None:
    """Transfer, rest, transfer, and rest until the time is over."""
    for _ in range(ROUNDS):
        async with application.connection() as connection:
            await connection.exchange(300, DOWN)
            await connection.exchange(UP, 100)
        await application.rest(application.random.uniform(*REST))
    await application.rest(application.left)
