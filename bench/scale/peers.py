"""What a peer costs that is configured and has never been heard of: memory of the server's process."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.scale import memory
from bench.scale.sides import TUNNEL, folder, serving, sides

if TYPE_CHECKING:
    from bench.scale.report import Numbers

COUNTS = (1000, 10_000)


def measure() -> Numbers:
    """KB (1024 bytes) for each peer that the server has more than one."""
    numbers: Numbers = {}
    alone = _server_with(1)
    for count in COUNTS:
        numbers[f"peer_kb_{count}"] = (_server_with(count) - alone) / (count - 1) / 1024
    return numbers


def _server_with(count: int) -> int:
    tunnel = dataclasses.replace(TUNNEL, clients=count)
    with sides() as (_, far), folder() as files, serving(tunnel, files, far) as server:
        return memory.at_rest(server)
