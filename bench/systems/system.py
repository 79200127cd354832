"""What every system is to the measures, and the two sides that it is set up between."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from interop.counterparts.configuration import Tunnel
    from interop.counterparts.ends import Address, Client
    from interop.counterparts.namespaces import Namespace
    from interop.counterparts.processes import Process

NEAR, FAR = "10.177.0.1", "10.177.0.2"
PORT = 51820
PACKET = 1500
"""The largest IP packet of every link here."""


@dataclass
class Sides:
    """Two namespaces, NEAR and FAR, and the link between them: the processes that it is made of."""

    near: Namespace
    far: Namespace
    link: Sequence[Process] = ()


@dataclass
class System:
    """One system, running: where the load starts and goes, and which processes it is made of (by role).

    `share` is how much of a full packet on the link is payload; `start_client` runs another client like the one that
    is there; `aside` are processes that are no part of the system, but of the measurement.
    """

    near: Namespace
    proxy: Address | None
    services: dict[str, Address]
    aside: list[Process]
    share: float
    processes: dict[str, Process] = field(default_factory=dict)
    start_client: Callable[[], contextlib.AbstractContextManager[Client]] | None = None


@dataclass(frozen=True)
class SystemKind:
    """How a system is called in words, and what sets it up: within, it runs between the sides.

    Raises MissingToolError or CalledProcessError where one of its programs cannot be built, ProcessError where it
    does not start.
    """

    title: str
    run: Callable[[Tunnel, Sides], contextlib.AbstractContextManager[System]]


@contextlib.contextmanager
def direct(_: Tunnel, sides: Sides) -> Iterator[System]:
    """The load speaks to the target itself."""
    with ends.target((FAR,), (), sides.far.inside) as (target, services):
        yield System(sides.near, None, services[4], [target, *sides.link], tcp_share(PACKET))


def tcp_share(packet: int, around: int = 0, options: int = 12) -> float:
    """The share of payload in a full packet of TCP over IPv4, of `packet` bytes, with `around` more around it.

    Each header has 20 bytes, and TCP's its options: 12 of timestamps (RFC 7323), unless it goes without.
    """
    return (packet - 40 - options) / (packet + around)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for configurations; removed."""
    with tempfile.TemporaryDirectory(prefix="awgproxy-bench-") as name:
        yield Path(name)
