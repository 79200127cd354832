"""Generated pairs of configurations: one server, its clients, made by `awgproxy new` and changed only in places.

Changed are the client's own UDP port and SOCKS port, so that flows can be told apart, its `PersistentKeepalive`, and
what the server's clients may reach. The parameters stay as they were generated.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interop.counterparts import programs
from scorecard.world.knowledge import Knowledge

if TYPE_CHECKING:
    from pathlib import Path

    from scorecard.profiles import Profile

NEAR, FAR = "203.0.113.2", "203.0.113.1"
"""The outer addresses of all clients and of all servers (RFC 5737)."""
TARGET = "198.51.100.1"
"""Where clients' applications go, beyond the servers."""

CLAIMS = {"stun": None, "quic": 443, "dns": 53, "dtls": None, "sip": 5060, "ntp": 123}
"""What the signature packets of pairs claim to be, by turns, and the port that it is for; None is any."""
OTHER_PORTS = (10_000, 32_000)
FIRST_CLIENT_PORT = 33_000
FIRST_PROXY_PORT = 12_000
"""Below the ports that the system gives to outgoing connections, which would take it away."""


@dataclass(frozen=True, slots=True)
class ClientFile:
    """A client's configuration: its UDP port, what its applications do, and what it tells of datagrams."""

    path: Path
    port: int
    kind: str
    knowledge: Knowledge

    @property
    def socks(self) -> int:
        """Where its proxy listens, on loopback."""
        return FIRST_PROXY_PORT + self.port - FIRST_CLIENT_PORT


@dataclass(frozen=True, slots=True)
class Pair:
    """A server's configuration, its port, its clients', and what their signature packets claim to be, if anything."""

    name: str
    server: Path
    port: int
    claim: str | None
    clients: tuple[ClientFile, ...]


def generate(profile: Profile, count: int, kinds: list[str], folder: Path) -> list[Pair]:
    """Make so many pairs of the profile, each with a client for each of `kinds`. Raises CalledProcessError."""
    claims = [None] if profile.control else [*CLAIMS]
    return [
        _pair(profile, number, kinds, claims[number % len(claims)], folder / f"{profile.name}-{number + 1}")
        for number in range(count)
    ]


def _pair(profile: Profile, number: int, kinds: list[str], claim: str | None, folder: Path) -> Pair:
    port = (CLAIMS[claim] if claim else None) or random.randint(*OTHER_PORTS)
    command = [str(programs.awgproxy()), "new", "--endpoint", f"{FAR}:{port}", "--directory", str(folder)]
    command += ["--profile", profile.name, "--peers", str(len(kinds)), *(["--signature", claim] if claim else [])]
    subprocess.run(command, check=True, capture_output=True, text=True)
    server = folder / "server.conf"
    server.write_text(server.read_text().replace("[Server]\n", f"[Server]\nAllow = {TARGET}/32\n"))
    clients = []
    for index, kind in enumerate(kinds):
        own = FIRST_CLIENT_PORT + number * len(kinds) + index
        path = folder / f"client{index + 1}.conf"
        text = path.read_text().replace("[Interface]\n", f"[Interface]\nListenPort = {own}\n")
        text = text.replace("[Peer]\n", f"[Peer]\nPersistentKeepalive = {profile.keepalive}\n")
        client = ClientFile(path, own, kind, Knowledge.of(text))
        path.write_text(f"{text}\n[Socks5]\nBindAddress = 127.0.0.1:{client.socks}\n")
        clients.append(client)
    return Pair(folder.name, server, port, claim, tuple(clients))
