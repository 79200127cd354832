"""What names need of the tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class TunnelSockets(Protocol):
    """What the resolver needs of the engine."""

    def open_datagrams(self, destination: tuple[str, int]) -> tuple[int, int]:
        """Open a flow of datagrams to `destination`; gives (flow, descriptor of a datagram socket)."""

    def open_stream(self, destinations: Sequence[tuple[str, int]]) -> tuple[int, int]:
        """Open a connection to the first destination that answers; gives (flow, descriptor of a stream socket)."""

    def close_flow(self, flow: int) -> None:
        """End a flow; nothing happens where it has ended already."""
