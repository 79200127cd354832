"""Both ends of awgproxy in namespaces of their own, and the load's way to them.

.. code-block:: text

    near                                far
    load ─ client ════ cable ════ server ─ target
    crowd ════════════════┘
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import ends, namespaces, programs
from interop.counterparts.configuration import HANDSHAKE_ONLY, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.counterparts.ends import Address
    from interop.counterparts.namespaces import Namespace

NEAR, FAR = "10.178.0.1", "10.178.0.2"
PORT = 51820
CARRIER_PORT = 51443
ENDPOINT = f"{FAR}:{PORT}"
TUNNEL = Tunnel(ENDPOINT, HANDSHAKE_ONLY, preshared=True, mtu=1420)
SERVER = Ours(allow=(f"{FAR}/32",))
START_SECONDS = 120

CARRIERS = {
    "ip": Ours(),
    "quic": Ours(carrier="quic", carrier_address=f"{SERVER_ADDRESSES[4]}:{CARRIER_PORT}"),
}
"""What a client's file says beside, by the carrier of its connections."""


@dataclass
class Pair:
    """A running client and server, and the target's services by name."""

    near: Namespace
    proxy: Address | None
    services: dict[str, Address]
    client: Process
    server: Process


@contextlib.contextmanager
def sides() -> Iterator[tuple[Namespace, Namespace]]:
    """The two namespaces; all ports serve connections to the one target."""
    with namespaces.pair(f"{NEAR}/30", f"{FAR}/30") as both:
        for side in both:
            side.set("net.ipv4.ip_local_port_range", "10000 65000")
            side.set("net.ipv4.tcp_tw_reuse", "1")
        yield both


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for configurations; removed."""
    with tempfile.TemporaryDirectory(prefix="awgproxy-bench-") as name:
        yield Path(name)


@contextlib.contextmanager
def serving(tunnel: Tunnel, files: Path, far: Namespace, *options: str) -> Iterator[Process]:
    """A server, once it is ready."""
    path = ends.write(files, "server.conf", tunnel.server_file(PORT) + SERVER.sections())
    command: list[str | Path] = [programs.awgproxy(), "server", path, "--log-format", "json", *options]
    with Process("awgproxy server", command, far.inside) as server:
        server.wait_for("server is ready", START_SECONDS)
        yield server


@contextlib.contextmanager
def pair(carrier: str) -> Iterator[Pair]:
    """A server, its one client, and the target, as a user runs them."""
    with (
        sides() as (near, far),
        folder() as files,
        serving(TUNNEL, files, far) as server,
        ends.client("awgproxy", TUNNEL, files, CARRIERS[carrier], near.inside) as client,
        ends.target((FAR,), (), far.inside) as (_, services),
    ):
        yield Pair(near, client.socks, services[4], client.process, server)


def load(pair: Pair, kind: str, *options: str, direct: bool = False) -> Process:
    """The load program, started, with the echo as its target."""
    proxy = [] if direct or pair.proxy is None else ["-proxy", ends.join(*pair.proxy)]
    target = ["-target", ends.join(*pair.services["echo"])]
    return Process(f"load {kind}", [programs.go_programs() / "load", kind, *target, *proxy, *options], pair.near.inside)
