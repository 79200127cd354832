"""Names by the system's resolver, outside the tunnel: only for the endpoints' own and for targets beside a client.

The system may take a minute, and cannot be told to stop. So each look-up has a thread of its own, which nobody waits
for once its answer is of no use: a session, or a program, that ends meanwhile ends at once. The caller bounds how many
there are at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading


async def system_addresses(name: str) -> list[str]:
    """The addresses of a name, in the system's order.

    Raises:
        OSError: the system finds none, or gives no thread.
        ValueError: it cannot be a name.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(answer: list[str] | Exception) -> None:
        if found.done():  # nobody waits any more
            return
        if isinstance(answer, Exception):
            found.set_exception(answer)
        else:
            found.set_result(answer)

    def ask() -> None:
        answer: list[str] | Exception
        try:
            answer = [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)]
        except (OSError, ValueError) as error:
            answer = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, answer)

    try:
        threading.Thread(target=ask, name="names", daemon=True).start()
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return await found
