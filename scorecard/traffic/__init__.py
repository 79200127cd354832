"""What applications do behind the clients, one kind a file; each is a coroutine that ends when its time is over.

Every kind opens connections through the client's SOCKS5 proxy to the target (`target`), which answers with as many
bytes as it is asked for. Times are real: nothing is speeded up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorecard.traffic import browsing, bulk, idle, steady

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scorecard.traffic.connection import Application

KINDS: dict[str, Callable[[Application], Awaitable[None]]] = {
    "browsing": browsing.run,
    "bulk": bulk.run,
    "idle": idle.run,
    "rekeying": steady.run,
}
"""By name; "rekeying" sends all the time, so that every rekey comes as soon as it is due."""
