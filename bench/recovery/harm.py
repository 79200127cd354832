"""What is done to a network on purpose, inside a namespace."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.counterparts.namespaces import Namespace


@contextlib.contextmanager
def blackout(where: Namespace, port: int) -> Iterator[None]:
    """Within, every datagram to and from a UDP port is lost without a word, by nftables."""
    rules = (
        "add table inet harm",
        "add chain inet harm in { type filter hook input priority 0 ; }",
        "add chain inet harm out { type filter hook output priority 0 ; }",
        f"add rule inet harm in udp dport {port} drop",
        f"add rule inet harm out udp sport {port} drop",
    )
    where.run(["nft", "; ".join(rules)])
    try:
        yield
    finally:
        where.run(["nft", "delete table inet harm"])
