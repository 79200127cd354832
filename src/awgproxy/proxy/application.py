"""An application that asked for a connection: what every front, SOCKS5 or another, hands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from awgproxy.proxy.answers import Answers
    from awgproxy.proxy.destination import Destination


@dataclass(frozen=True, slots=True)
class Application:
    """One application and its wish.

    `socket` is non-blocking, out of the event loop, and belongs to whoever this is handed to. `early` goes to the
    destination first: what the application sent behind its request. `answers` is what its protocol says of outcomes.
    `ended`, where it is given, is called once from the event loop when all is over: whether a connection stood, and
    both its sides ended in order.
    """

    socket: socket.socket
    destination: Destination
    early: bytes
    answers: Answers
    ended: Callable[[bool], None] | None = None
