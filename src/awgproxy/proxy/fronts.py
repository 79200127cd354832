"""Which protocol is spoken at a port, and with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.proxy.socks5 import Negotiation

if TYPE_CHECKING:
    from collections.abc import Callable

    from awgproxy.proxy.front import Front
    from awgproxy.proxy.http.conversation import Conversation

_CAPITALS = range(0x41, 0x5B)
"""What every method of HTTP in use begins with, and nothing of SOCKS or TLS does."""


def socks5_port(*, authenticate: bool, http: bool) -> Callable[[int], Front]:
    """SOCKS5, and, where `http` is set, HTTP too: told apart by the first byte."""

    def front_of(first: int) -> Front:
        if http and first in _CAPITALS:
            return _conversation(authenticate=authenticate, socks5=True)
        return Negotiation(authenticate=authenticate)

    return front_of


def http_port(*, authenticate: bool) -> Callable[[int], Front]:
    """HTTP and nothing else."""
    return lambda _: _conversation(authenticate=authenticate)


def _conversation(*, authenticate: bool, socks5: bool = False) -> Conversation:
    from awgproxy.proxy.http.conversation import Conversation  # noqa: PLC0415 - h11 is loaded with the first request

    return Conversation(authenticate=authenticate, socks5=socks5)
