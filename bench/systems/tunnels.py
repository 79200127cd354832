"""awgproxy and its rival: both a proxy in front of an AmneziaWG tunnel."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from bench.systems.system import FAR, PORT, Sides, System, folder, tcp_share
from interop.counterparts import daemons, ends
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
    from collections.abc import Iterator, Mapping

MTU = 1420
"""1500 less IPv4, UDP, 16 bytes of S4 and the transport message's 32 leaves 1424."""

OBFUSCATIONS: Mapping[str, Mapping[str, str]] = {
    "handshake": HANDSHAKE_ONLY,
    "everything": EVERYTHING,
    "plain": PLAIN,
}
"""By name; the first is what is measured unless another is asked for: the rival is at its best with it, since it draws
padding and type words of transport messages at a price that ours does not pay."""

CARRIER_PORT = 51443

_OUTER = 20 + 8 + 32
"""IPv4, UDP, and the header and tag of a transport message."""
_CARRIER_INNER = 20 + 8
_CARRIER_HEADERS = (1 + 4 + 2) + (1 + 1 + 4)
"""QUIC's short header with its connection ID and packet number; a STREAM frame's with the stream and the offset."""


@contextlib.contextmanager
def by_quic(tunnel: Tunnel, sides: Sides) -> Iterator[System]:
    """Client and server of awgproxy, as a user runs them; every connection is a stream of QUIC in the tunnel."""
    carrier = Ours(carrier="quic", carrier_address=f"{SERVER_ADDRESSES[4]}:{CARRIER_PORT}")
    share = (tunnel.mtu - _CARRIER_INNER - _CARRIER_HEADERS) / (tunnel.mtu + _around(tunnel))
    with _awgproxy(tunnel, sides, carrier, share) as system:
        yield system


@contextlib.contextmanager
def by_ip(tunnel: Tunnel, sides: Sides) -> Iterator[System]:
    """The same; every connection is one of TCP in the tunnel, as with any server."""
    with _awgproxy(tunnel, sides, Ours(), tcp_share(tunnel.mtu, _around(tunnel), options=0)) as system:
        yield system


@contextlib.contextmanager
def version_2(tunnel: Tunnel, sides: Sides) -> Iterator[System]:
    """By ip with every parameter of AmneziaWG 2.0, whatever the others have."""
    with by_ip(dataclasses.replace(tunnel, obfuscation=EVERYTHING), sides) as system:
        yield system


@contextlib.contextmanager
def version_3(tunnel: Tunnel, sides: Sides) -> Iterator[System]:
    """The same with what 3.1 adds."""
    with by_ip(dataclasses.replace(tunnel, obfuscation=VERSION_3), sides) as system:
        yield system


@contextlib.contextmanager
def rival(tunnel: Tunnel, sides: Sides, congestion_control: str = "cubic") -> Iterator[System]:
    """wireproxy-awg's make of client, the reference's daemon, and a target whose TCP controls congestion.

    That is of downloads alone: uploads are sent by the client's own network (gVisor).
    """
    at = tunnel.at(f"{FAR}:{PORT}")
    with (
        folder() as files,
        daemons.server("reference", tunnel, files, sides.far, PORT) as server,
        ends.client("reference", at, files, inside=sides.near.inside) as client,
        ends.target((SERVER_ADDRESSES[4],), ("-congestion-control", congestion_control), sides.far.inside) as (
            target,
            services,
        ),
    ):
        yield System(
            sides.near,
            client.socks,
            services[4],
            [target, *sides.link],
            tcp_share(tunnel.mtu, _around(tunnel)),
            {"client": client.process, "server": server},
            lambda: ends.client("reference", at, files, inside=sides.near.inside),
        )


@contextlib.contextmanager
def rival_bbr(tunnel: Tunnel, sides: Sides) -> Iterator[System]:
    """The same with BBR, where this machine's kernel has it (ProcessError without)."""
    with rival(tunnel, sides, "bbr") as system:
        yield system


@contextlib.contextmanager
def _awgproxy(tunnel: Tunnel, sides: Sides, ours: Ours, share: float) -> Iterator[System]:
    at = tunnel.at(f"{FAR}:{PORT}")
    with (
        folder() as files,
        ends.awgproxy_server(tunnel, files, PORT, Ours(allow=(f"{FAR}/32",)), sides.far.inside) as server,
        ends.client("awgproxy", at, files, ours, sides.near.inside) as client,
        ends.target((FAR,), (), sides.far.inside) as (target, services),
    ):
        yield System(
            sides.near,
            client.socks,
            services[4],
            [target, *sides.link],
            share,
            {"client": client.process, "server": server},
            lambda: ends.client("awgproxy", at, files, ours, sides.near.inside),
        )


def _around(tunnel: Tunnel) -> int:
    """What the tunnel puts around a full inner packet, bytes."""
    return _OUTER + int(tunnel.obfuscation.get("S4", "0"))
