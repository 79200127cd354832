"""Proxies of other kinds, with the settings that their manuals give, and no more logging than errors."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import socket
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.systems.system import FAR, PACKET, PORT, Sides, System, folder, tcp_share
from interop.counterparts import ends, programs
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.counterparts.configuration import Tunnel
    from interop.counterparts.ends import Client

PASSWORD = base64.b64encode(b"this password guards nothing 32 b").decode()
NAME = "bench.test"

_HYSTERIA_PACKET = 1452 + 28
"""What quic-go's search for the path's MTU ends at on a path of 1500 bytes."""
_HYSTERIA_HEADERS = 28 + 1 + 4 + 2 + 16 + 8
"""IPv4, UDP, QUIC's short header with connection ID and packet number, its tag, a STREAM frame's header."""

SHADOWSOCKS_METHOD = "chacha20-ietf-poly1305"
"""The cipher of the tunnels."""


@contextlib.contextmanager
def hysteria2(_: Tunnel, sides: Sides) -> Iterator[System]:
    """sing-box at both ends: SOCKS5 and hysteria2, with no bandwidth set, so with BBR; no obfuscation."""
    program = programs.sing_box()
    with folder() as files:
        certificate, key = _certificate(files)
        settings = {"enabled": True, "server_name": NAME, "certificate_path": str(certificate)}
        inbound = {
            "type": "hysteria2",
            "listen": FAR,
            "listen_port": PORT,
            "users": [{"password": PASSWORD}],
            "tls": settings | {"key_path": str(key)},
        }
        server_file = _sing_box(files, "server", inbound, {"type": "direct"})

        @contextlib.contextmanager
        def start_client() -> Iterator[Client]:
            port = ends.free_port(socket.SOCK_STREAM)
            outbound = {"type": "hysteria2", "server": FAR, "server_port": PORT, "password": PASSWORD, "tls": settings}
            proxy = {"type": "socks", "listen": "127.0.0.1", "listen_port": port}
            file = _sing_box(files, "client", proxy, outbound)
            with Process("sing-box client", [program, "run", "-c", file], sides.near.inside) as client:
                client.wait_until(lambda: ends.listening(client.pid, port), "listening")
                yield ends.Client(client, ("127.0.0.1", port))

        with (
            Process("sing-box server", [program, "run", "-c", server_file], sides.far.inside) as server,
            ends.target((FAR,), (), sides.far.inside) as (target, services),
        ):
            server.wait_until(lambda: ends.bound(server.pid, PORT), "bound")
            with start_client() as client:
                yield System(
                    sides.near,
                    client.socks,
                    services[4],
                    [target, *sides.link],
                    (_HYSTERIA_PACKET - _HYSTERIA_HEADERS) / _HYSTERIA_PACKET,
                    {"client": client.process, "server": server},
                    start_client,
                )


@contextlib.contextmanager
def shadowsocks(_: Tunnel, sides: Sides) -> Iterator[System]:
    """Its two programs, for TCP and UDP."""
    programs_folder = programs.shadowsocks()
    with folder() as files:
        common = {"server": FAR, "server_port": PORT, "password": PASSWORD, "method": SHADOWSOCKS_METHOD}
        server_file = ends.write(files, "server.json", json.dumps(common | {"mode": "tcp_and_udp"}))

        @contextlib.contextmanager
        def start_client() -> Iterator[Client]:
            port = ends.free_port(socket.SOCK_STREAM)
            local = {"local_address": "127.0.0.1", "local_port": port, "mode": "tcp_and_udp"}
            file = ends.write(files, "client.json", json.dumps(common | local))
            with Process("sslocal", [programs_folder / "sslocal", "-c", file], sides.near.inside) as client:
                client.wait_until(lambda: ends.listening(client.pid, port), "listening")
                yield ends.Client(client, ("127.0.0.1", port))

        with (
            Process("ssserver", [programs_folder / "ssserver", "-c", server_file], sides.far.inside) as server,
            ends.target((FAR,), (), sides.far.inside) as (target, services),
        ):
            server.wait_until(lambda: ends.listening(server.pid, PORT), "listening")
            with start_client() as client:
                yield System(
                    sides.near,
                    client.socks,
                    services[4],
                    [target, *sides.link],
                    tcp_share(PACKET),
                    {"client": client.process, "server": server},
                    start_client,
                )


def _sing_box(files: Path, name: str, inbound: dict[str, object], outbound: dict[str, object]) -> Path:
    text = json.dumps({"log": {"level": "error"}, "inbounds": [inbound], "outbounds": [outbound]})
    return ends.write(files, f"{name}.json", text)


def _certificate(files: Path) -> tuple[Path, Path]:
    """A certificate that nobody else signed, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return (
        ends.write(files, "certificate.pem", certificate.public_bytes(pem).decode()),
        ends.write(files, "key.pem", secret),
    )
