"""Clients and servers of every implementation behind one face, so that one test speaks to all of them.

A client is a SOCKS5 proxy; a server is a place in the tunnel's far network where the services of
`internal/services` answer. The reference and WireGuard carry the services inside; awgproxy's server dials them in its
network.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interop.counterparts import programs
from interop.counterparts.configuration import SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.namespaces import INTERNET
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PORTS = {"echo": 7, "discard": 9, "digest": 10, "meter": 11, "source": 19, "datagrams": 7, "names": 53}

Address = tuple[str, int]


@dataclass
class Client:
    """A running client: `socks` is where its proxy listens."""

    process: Process
    socks: Address


@dataclass
class Server:
    """A running server: `endpoint` is its UDP address, `services` where the client finds each service, by name."""

    process: Process
    endpoint: str
    services: dict[int, dict[str, Address]]


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port that nobody held a moment ago."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def join(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bound(pid: int, port: int) -> bool:
    """Whether a UDP socket in the process's network holds that port."""
    return any(_holds(line, port) for line in _sockets(pid, "udp"))


def listening(pid: int, port: int) -> bool:
    """Whether a TCP socket in the process's network listens at that port."""
    return any(_holds(line, port) and line.split()[3] == "0A" for line in _sockets(pid, "tcp"))


def _sockets(pid: int, protocol: str) -> list[str]:
    """Lines of /proc/PID/net: number, local address, remote address, state and more; none of a process that ended."""
    lines: list[str] = []
    for table in (protocol, f"{protocol}6"):
        with contextlib.suppress(OSError):
            lines += Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    return lines


def _holds(line: str, port: int) -> bool:
    return line.split()[1].endswith(f":{port:04X}")


def write(folder: Path, name: str, text: str) -> Path:
    """Put a configuration where only its owner can read it."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@contextlib.contextmanager
def client(
    kind: str,
    tunnel: Tunnel,
    folder: Path,
    ours: Ours | None = None,
    inside: Sequence[str] = (),
    *,
    number: int = 0,
) -> Iterator[Client]:
    """Run a client of `kind` ("awgproxy", "reference", "wireguard") and leave when its proxy listens.

    `inside` is put before the command, e.g. to run it in a network namespace; `number` says which of the tunnel's
    clients it is.
    """
    if kind == "awgproxy":
        port = free_port(socket.SOCK_STREAM)
        ours = dataclasses.replace(ours or Ours(), socks=f"127.0.0.1:{port}")
        text = tunnel.client_file(number) + ours.sections()
        path = write(folder, f"awgproxy-client-{number}.conf", text)
        with Process("awgproxy client", [programs.awgproxy(), "client", path], inside) as process:
            process.wait_until(lambda: listening(process.pid, port), "listening")
            yield Client(process, ("127.0.0.1", port))
        return
    program = {"reference": "reference-client", "wireguard": "wireguard-peer"}[kind]
    path = write(folder, f"{program}-client-{number}.conf", tunnel.client_file(number))
    proxy = ["-socks", "127.0.0.1:0", "-watch"]
    with Process(program, [programs.go_programs() / program, "-config", path, *proxy], inside) as process:
        host, port_text = process.wait_for("ready")["socks"].rsplit(":", 1)
        yield Client(process, (host, int(port_text)))


@contextlib.contextmanager
def server(
    kind: str, tunnel: Tunnel, folder: Path, host: str = "127.0.0.1", *, port: int = 0, ours: Ours | None = None
) -> Iterator[Server]:
    """Run a server of `kind` with its services and leave when all of it is there.

    `host` is the outer address that clients use; `port` 0 takes any free one. The services of awgproxy's server are at
    INTERNET: it must run in a namespace that has those addresses (`namespaces.internet`).
    """
    if kind == "awgproxy":
        port = port or free_port(socket.SOCK_DGRAM, host)
        allow = (f"{INTERNET[4]}/32", f"{INTERNET[6]}/128")
        ours = dataclasses.replace(ours or Ours(), allow=allow, names=INTERNET[4])
        with target() as (_, services), awgproxy_server(tunnel, folder, port, ours) as process:
            yield Server(process, join(host, port), services)
        return
    program = {"reference": "reference-server", "wireguard": "wireguard-peer"}[kind]
    path = write(folder, f"{program}.conf", tunnel.server_file(port))
    with Process(program, [programs.go_programs() / program, "-config", path, "-watch"]) as process:
        port = process.wait_for("ready")["listen_port"]
        services = {
            version: {name: (SERVER_ADDRESSES[version], at) for name, at in PORTS.items()} for version in tunnel.inner
        }
        yield Server(process, join(host, port), services)


@contextlib.contextmanager
def awgproxy_server(
    tunnel: Tunnel, folder: Path, port: int, ours: Ours, inside: Sequence[str] = ()
) -> Iterator[Process]:
    """Run awgproxy's server alone, and leave when it holds its UDP port."""
    path = write(folder, "awgproxy-server.conf", tunnel.server_file(port) + ours.sections())
    with Process("awgproxy server", [programs.awgproxy(), "server", path], inside) as process:
        process.wait_until(lambda: bound(process.pid, port), "bound")
        yield process


@contextlib.contextmanager
def target(
    addresses: Sequence[str] = tuple(INTERNET.values()),
    options: Sequence[str] = ("-well-known", "-names"),
    inside: Sequence[str] = (),
) -> Iterator[tuple[Process, dict[int, dict[str, Address]]]]:
    """Run the services on the kernel's network; the addresses are by IP version and service."""
    listen = ["-address", ",".join(addresses), *options]
    with Process("target", [programs.go_programs() / "target", *listen], inside) as process:
        ports = process.wait_for("ready")["ports"]
        services = {
            6 if ":" in address else 4: {name: (address, port) for name, port in ports[address].items()}
            for address in addresses
        }
        yield process, services
