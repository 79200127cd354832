"""Which of a client's peers have a carrier at the moment, and what that means for names.

The engine keeps carriers and chooses them for addresses; whether a name may be left to the server is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy._native import CarrierDown, CarrierUp
from awgproxy.config.carrier import names_are_the_servers
from awgproxy.config.model import Carrier

if TYPE_CHECKING:
    from awgproxy.config import Config
    from awgproxy.session.events import Handlers

LONGEST_NAME = 253
"""Characters that a request has room for, as many as a name has (RFC 1035, section 2.3.4)."""


class Carriers:
    """Those of one client."""

    def __init__(self, config: Config) -> None:
        self._names_are_the_servers = names_are_the_servers(config)
        self._waited_for = config.tunnel.carrier is Carrier.QUIC
        self._up: set[str] = set()
        self.handlers: Handlers = {CarrierUp: self._came_up, CarrierDown: self._went_down}

    def takes(self, name: str) -> bool:
        """Whether a name goes to the server as it is, to be looked up there."""
        if not self._names_are_the_servers or not (self._waited_for or self._up):
            return False
        return len(name) <= LONGEST_NAME and all("!" <= character <= "~" for character in name)

    def _came_up(self, event: CarrierUp) -> None:
        self._up.add(event.peer)

    def _went_down(self, event: CarrierDown) -> None:
        self._up.discard(event.peer)
