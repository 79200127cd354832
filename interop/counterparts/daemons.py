"""TUN daemons of other authors inside a network namespace, with their addresses and routes. Linux, root."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import ends, programs
from interop.counterparts.configuration import (
    CLIENT_ADDRESSES,
    CLIENT_PRIVATE,
    CLIENT_PUBLIC,
    PREFIX_LENGTHS,
    PRESHARED,
    SERVER_ADDRESSES,
    SERVER_PRIVATE,
    SERVER_PUBLIC,
    Tunnel,
)
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.counterparts.namespaces import Namespace

SOCKETS = Path("/var/run/wireguard")


@contextlib.contextmanager
def client(kind: str, tunnel: Tunnel, folder: Path, where: Namespace) -> Iterator[Process]:
    """A daemon of `kind` ("reference", "boringtun") through whose tunnel everything in the namespace goes."""
    with _daemon(kind, tunnel, folder, where, server=False) as (process, name):
        _prepare(tunnel, where, name, CLIENT_ADDRESSES)
        for version in tunnel.inner:
            where.ip(f"-{version} route add default dev {name}")
        yield process


@contextlib.contextmanager
def server(kind: str, tunnel: Tunnel, folder: Path, where: Namespace, port: int) -> Iterator[Process]:
    """A daemon of `kind` that listens at `port`; what listens at its tunnel address in the namespace is its service."""
    with _daemon(kind, tunnel, folder, where, server=True, port=port) as (process, name):
        _prepare(tunnel, where, name, SERVER_ADDRESSES)
        for version in tunnel.inner:
            where.ip(f"-{version} route add {CLIENT_ADDRESSES[version]} dev {name}")
        yield process


def _prepare(tunnel: Tunnel, where: Namespace, name: str, addresses: dict[int, str]) -> None:
    for version in tunnel.inner:
        where.ip(f"-{version} address add {addresses[version]} dev {name}" + (" nodad" if version == 6 else ""))
    where.ip(f"link set {name} mtu {tunnel.mtu} up")


@contextlib.contextmanager
def _daemon(
    kind: str, tunnel: Tunnel, folder: Path, where: Namespace, *, server: bool, port: int = 0
) -> Iterator[tuple[Process, str]]:
    # The name is also that of a socket in a folder which all namespaces share.
    name = f"tun{os.getpid()}"
    if kind == "reference":
        text = tunnel.server_file(port) if server else tunnel.client_file()
        path = ends.write(folder, "reference-tun.conf", text)
        program, options = programs.go_programs() / "reference-tun", ["-interface", name, "-watch"]
        with Process("reference-tun", [program, "-config", path, *options], where.inside) as process:
            process.wait_for("ready")
            yield process, name
        return
    options = ["--foreground", "--disable-drop-privileges", name]
    with Process("boringtun-cli", [programs.boringtun(), *options], where.inside) as process:
        process.wait_until((SOCKETS / f"{name}.sock").exists, "listening for its settings")
        _configure(SOCKETS / f"{name}.sock", _settings(tunnel, server=server, port=port))
        yield process, name


def _settings(tunnel: Tunnel, *, server: bool, port: int) -> list[str]:
    """What the daemon must know, as UAPI spells it."""
    ours, theirs = (SERVER_PRIVATE, CLIENT_PUBLIC) if server else (CLIENT_PRIVATE, SERVER_PUBLIC)
    lines = [f"private_key={_hex(ours)}", f"listen_port={port}", f"public_key={_hex(theirs)}"]
    if tunnel.preshared:
        lines.append(f"preshared_key={_hex(PRESHARED)}")
    if not server:
        lines.append(f"endpoint={tunnel.endpoint}")
    for version in tunnel.inner:
        single = f"{CLIENT_ADDRESSES[version]}/{PREFIX_LENGTHS[version]}"
        lines.append(f"allowed_ip={single if server else {4: '0.0.0.0/0', 6: '::/0'}[version]}")
    return lines


def _hex(key: str) -> str:
    return base64.b64decode(key).hex()


def _configure(path: Path, settings: list[str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(10)
        control.connect(str(path))
        control.sendall("\n".join(["set=1", *settings, "", ""]).encode())
        answer = control.makefile().readline().strip()
    if answer != "errno=0":
        raise OSError(f"{path.name} refused its settings: {answer}")
