"""The pairs under measurement, whose server can be killed and started again.

.. code-block:: text

    near                                   far
    load ─ client ─ relay ════ cable ════ server ─ target

The relay adds the delay, and moves to another address or port as a NAT router does.
"""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.recovery.harm import blackout
from interop.counterparts import daemons, ends, namespaces
from interop.counterparts.configuration import HANDSHAKE_ONLY, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interop.counterparts.ends import Address
    from interop.counterparts.namespaces import Namespace
    from interop.counterparts.processes import Process

NEAR = ("10.177.0.1", "10.177.0.3")
FAR = "10.177.0.2"
PORT = 51820
TUNNEL = Tunnel(f"{FAR}:{PORT}", HANDSHAKE_ONLY, mtu=1420)


@dataclass
class Pair:
    """A running client and server: where the load is and goes, and what can be done to the way between."""

    near: Namespace
    far: Namespace
    proxy: Address
    services: dict[str, Address]
    relay: Relay
    _start_server: Callable[[], contextlib.AbstractContextManager[Process]]
    _server: contextlib.ExitStack
    _process: Process

    def kill_server(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._server.close()

    def start_server(self) -> None:
        """Again, with the same configuration; leave when it listens."""
        self._process = self._server.enter_context(self._start_server())

    def blackout(self) -> contextlib.AbstractContextManager[None]:
        """Within, nothing gets through."""
        return blackout(self.far, PORT)


@contextlib.contextmanager
def awgproxy(delay: float) -> Iterator[Pair]:
    """Both ends ours."""
    with _sides() as (near, far), _folder() as folder, ends.target((FAR,), (), far.inside) as (_, services):
        ours = Ours(allow=(f"{FAR}/32",))

        def start() -> contextlib.AbstractContextManager[Process]:
            return ends.awgproxy_server(TUNNEL, folder, PORT, ours, far.inside)

        client = Ours()
        with _pair(
            "awgproxy", (near, far), folder, delay=delay, services=services[4], start=start, ours=client
        ) as pair:
            yield pair


@contextlib.contextmanager
def rival(delay: float) -> Iterator[Pair]:
    """wireproxy-awg's make of client, and the reference's daemon."""
    with _sides() as (near, far), _folder() as folder:
        # The address must be there before the daemon is, and when it is gone.
        far.ip(f"address add {SERVER_ADDRESSES[4]}/32 dev lo")
        with ends.target((SERVER_ADDRESSES[4],), (), far.inside) as (_, services):

            def start() -> contextlib.AbstractContextManager[Process]:
                return daemons.server("reference", TUNNEL, folder, far, PORT)

            with _pair("reference", (near, far), folder, delay=delay, services=services[4], start=start) as pair:
                yield pair


SYSTEMS: dict[str, Callable[[float], contextlib.AbstractContextManager[Pair]]] = {"awgproxy": awgproxy, "rival": rival}


@contextlib.contextmanager
def _pair(
    kind: str,
    sides: tuple[Namespace, Namespace],
    folder: Path,
    *,
    delay: float,
    services: dict[str, Address],
    start: Callable[[], contextlib.AbstractContextManager[Process]],
    ours: Ours | None = None,
) -> Iterator[Pair]:
    near, far = sides
    with contextlib.ExitStack() as server:
        process = server.enter_context(start())
        with (
            near.entered(),
            Relay((FAR, PORT), hosts=NEAR, delay=delay) as relay,
            ends.client(kind, TUNNEL.at(relay.endpoint), folder, ours, near.inside) as client,
        ):
            yield Pair(near, far, client.socks, services, relay, start, server, process)


@contextlib.contextmanager
def _sides() -> Iterator[tuple[Namespace, Namespace]]:
    with namespaces.pair(f"{NEAR[0]}/29", f"{FAR}/29") as (near, far):
        near.ip(f"address add {NEAR[1]}/29 dev cable")
        yield near, far


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="awgproxy-bench-") as name:
        yield Path(name)
