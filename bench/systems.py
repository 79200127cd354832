"""The systems under measurement, each on the same path but for what lies between the load and the target.

.. code-block:: text

    a namespace                    another
    load ─ client ════ cable ════ server ─ target

Direct: no client, no server. awgproxy: both by its command line. The rival: `reference-client`, built as wireproxy-awg
is, and the reference's daemon on a kernel TUN, whose addresses the target listens at. All tunnels have the same
obfuscation and MTU, but for two more of awgproxy's: with every parameter of AmneziaWG 2.0, and of 3.x on top of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import daemons, ends, namespaces
from interop.counterparts.configuration import (
    EVERYTHING,
    HANDSHAKE_ONLY,
    PLAIN,
    SERVER_ADDRESSES,
    VERSION_3,
    Ours,
    Tunnel,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from interop.counterparts.ends import Address
    from interop.counterparts.namespaces import Namespace
    from interop.counterparts.processes import Process

NEAR, FAR = "10.177.0.1", "10.177.0.2"
PORT = 51820
MTU = 1420
"""1500 less IPv4, UDP, 16 bytes of S4 and the transport message's 32 leaves 1424."""

OBFUSCATIONS: Mapping[str, Mapping[str, str]] = {
    "handshake": HANDSHAKE_ONLY,
    "everything": EVERYTHING,
    "plain": PLAIN,
}
"""By name; the first is what is measured unless another is asked for: the rival is at its best with it, since it draws
padding and type words of transport messages at a price that ours does not pay."""


@dataclass
class System:
    """One system, running: where the load starts and goes, and which processes it is made of (by role)."""

    near: Namespace
    proxy: Address | None
    services: dict[str, Address]
    target: Process
    processes: dict[str, Process] = field(default_factory=dict)


@contextlib.contextmanager
def direct(_: Tunnel) -> Iterator[System]:
    """The load speaks to the target itself."""
    with _sides() as (near, far), ends.target((FAR,), (), far.inside) as (target, services):
        yield System(near, None, services[4], target)


@contextlib.contextmanager
def awgproxy(tunnel: Tunnel) -> Iterator[System]:
    """Client and server of awgproxy, as a user runs them."""
    with (
        _sides() as (near, far),
        _folder() as folder,
        ends.awgproxy_server(tunnel, folder, PORT, Ours(allow=(f"{FAR}/32",)), far.inside) as server,
        ends.client("awgproxy", tunnel.at(f"{FAR}:{PORT}"), folder, inside=near.inside) as client,
        ends.target((FAR,), (), far.inside) as (target, services),
    ):
        yield System(near, client.socks, services[4], target, {"client": client.process, "server": server})


@contextlib.contextmanager
def rival(tunnel: Tunnel) -> Iterator[System]:
    """wireproxy-awg's make of client, and the reference's daemon."""
    with (
        _sides() as (near, far),
        _folder() as folder,
        daemons.server("reference", tunnel, folder, far, PORT) as server,
        ends.client("reference", tunnel.at(f"{FAR}:{PORT}"), folder, inside=near.inside) as client,
        ends.target((SERVER_ADDRESSES[4],), (), far.inside) as (target, services),
    ):
        yield System(near, client.socks, services[4], target, {"client": client.process, "server": server})


@contextlib.contextmanager
def version_2(tunnel: Tunnel) -> Iterator[System]:
    """Client and server of awgproxy with every parameter of AmneziaWG 2.0, whatever the others have."""
    with awgproxy(dataclasses.replace(tunnel, obfuscation=EVERYTHING)) as system:
        yield system


@contextlib.contextmanager
def version_3(tunnel: Tunnel) -> Iterator[System]:
    """The same with what 3.1 adds."""
    with awgproxy(dataclasses.replace(tunnel, obfuscation=VERSION_3)) as system:
        yield system


SYSTEMS: dict[str, Callable[[Tunnel], contextlib.AbstractContextManager[System]]] = {
    "direct": direct,
    "awgproxy": awgproxy,
    "rival": rival,
    "2.0": version_2,
    "3.x": version_3,
}

BULK_ONLY = frozenset({"2.0", "3.x"})
"""What is only there to be held against each other in bulk transfers."""


@contextlib.contextmanager
def _sides() -> Iterator[tuple[Namespace, Namespace]]:
    with namespaces.pair(f"{NEAR}/30", f"{FAR}/30") as sides:
        for side in sides:
            # Every connection of a round ends at one target: let ports in TIME-WAIT serve again.
            side.set("net.ipv4.ip_local_port_range", "10000 65000")
            side.set("net.ipv4.tcp_tw_reuse", "1")
        yield sides


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="awgproxy-bench-") as name:
        yield Path(name)
