"""The demonstration, step by step: two configurations, two processes, the wire between them, and a transfer."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from awgproxy import _native
from awgproxy.cli.demonstration.ending import Ending
from awgproxy.cli.demonstration.program import Program
from awgproxy.cli.demonstration.relay import Relay, Seen
from awgproxy.cli.demonstration.target import Target
from awgproxy.cli.demonstration.transfer import Outcome, download
from awgproxy.config import load
from awgproxy.config.generate import Plan, generate, write_new
from awgproxy.errors import TunnelError

DATAGRAMS_SHOWN = 16
_PROGRESS_SECONDS = 2.0
_HIDDEN_KEYS = ("privatekey", "presharedkey", "headerprotectionkey")

_WAY_ON = """
For real:
   awgproxy new --endpoint YOUR.SERVER:24437     writes server.conf and client.conf
   awgproxy server server.conf                   on the server, UDP port 24437 open
   awgproxy client client.conf                   here; then set SOCKS5 127.0.0.1:1080 in the application
   (or activate the environment: source .venv/bin/activate)"""

Say = Callable[[str], None]


def demonstrate(size: int, say: Say) -> bool:
    """Run the demonstration with a transfer of `size` bytes (a multiple of 1 MiB); whether the checksums agree.

    Everything lives in a temporary folder and ends with it, also when a signal ends it.

    Raises:
        AwgProxyError: a step failed; the text says which.
        SystemExit: a signal ended it.
    """
    with Ending() as ending, tempfile.TemporaryDirectory(prefix="awgproxy-demo-") as folder:
        agree = _Demonstration(Path(folder), size, say, ending).run()
    say("\n6. Both processes have ended, and nothing is left behind.")
    say(_WAY_ON)
    return agree


class _Demonstration:
    def __init__(self, folder: Path, size: int, say: Say, ending: Ending) -> None:
        self._folder = folder
        self._size = size
        self._say = say
        self._ending = ending
        self._target = Target(size)
        self._server_port = _free_port(socket.SOCK_DGRAM)
        self._proxy = ("127.0.0.1", _free_port(socket.SOCK_STREAM))
        self._relay = Relay(("127.0.0.1", self._server_port), keep=DATAGRAMS_SHOWN)
        self._settings: list[tuple[str, str]] = []

    def run(self) -> bool:
        self._target.start()
        self._relay.start()
        try:
            with self._ending.heard():
                server_file, client_file = self._configure()
            with Program("server", server_file) as server:
                with self._ending.heard():
                    self._show_server(server)
                with Program("client", client_file) as client, self._ending.heard():
                    self._show_client(client)
                    outcome = self._transfer()
                    self._show_wire()
                    agree = self._show_outcome(outcome)
                    self._stop(client, server)
        finally:
            self._relay.stop()
            self._target.stop()
        return agree

    def _configure(self) -> tuple[Path, Path]:
        self._say("1. A matching pair of configurations, as `awgproxy new` writes it: keys and obfuscation are random.")
        server_file, client_file = write_pair(self._folder, self._relay.address, self._server_port, self._proxy)
        for file in (server_file, client_file):
            self._say(f"\n   {file.name}")
            for line in file.read_text().splitlines():
                if line and not line.startswith("#"):
                    self._say(f"     {_without_secret(line)}")
        self._settings = load(client_file).obfuscation
        return server_file, client_file

    def _show_server(self, server: Program) -> None:
        self._say("\n2. Server and client start as processes of their own; a relay between them looks at the wire.")
        server.wait_for("server is ready")
        self._say(f"   server: process {server.pid}, UDP port {self._server_port}")

    def _show_client(self, client: Program) -> None:
        client.wait_for("SOCKS5 is ready")
        self._say(f"   client: process {client.pid}, SOCKS5 on {self._proxy[0]}:{self._proxy[1]}")
        client.wait_for("tunnel up")
        self._say("   the tunnel is up")

    def _transfer(self) -> Outcome:
        host, port = self._target.address
        self._say(f"\n3. An application fetches {_in_units(self._size)} from {host}:{port} through SOCKS5.")
        shown_at = time.monotonic()

        def progress(size: int) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at >= _PROGRESS_SECONDS:
                shown_at = time.monotonic()
                self._say(f"   {_in_units(size)} so far")

        return download(self._proxy, self._target.address, progress)

    def _show_wire(self) -> None:
        self._say("\n4. The first datagrams on the wire, as the relay saw them:")
        for number, (seen, role) in enumerate(
            zip(self._relay.seen, roles(self._relay.seen, self._settings), strict=True), 1
        ):
            way = "client → server" if seen.from_client else "server → client"
            self._say(f"   {number:3}  {way}  {len(seen.data):5} bytes  {role}")

    def _show_outcome(self, outcome: Outcome) -> bool:
        expected = self._target.checksum()
        agree = outcome.checksum == expected and outcome.size == self._size
        rate = outcome.size * 8 / outcome.seconds / 1e9
        self._say(f"\n5. {_in_units(outcome.size)} in {outcome.seconds:.1f} s: {rate:.2f} Gbit/s through the tunnel.")
        self._say(f"   SHA-256 sent      {expected}")
        self._say(f"   SHA-256 received  {outcome.checksum}")
        self._say("   they agree" if agree else "   THEY DIFFER")
        return agree

    def _stop(self, *programs: Program) -> None:
        for program in programs:
            code = program.stop()
            if code != 0:
                raise TunnelError(f"the {program.command} ended with exit code {code}")


def write_pair(folder: Path, endpoint: tuple[str, int], listen_port: int, proxy: tuple[str, int]) -> tuple[Path, Path]:
    """Write a pair for this machine alone: the server may reach loopback, the client talks to `endpoint`."""
    host, port = endpoint
    generated = generate(Plan(host=host, port=port, listen_port=listen_port))
    server_file, client_file = folder / "server.conf", folder / "client.conf"
    write_new(
        {
            server_file: generated.server.replace("[Server]\n", "[Server]\nAllow = 127.0.0.0/8\n"),
            client_file: f"{generated.clients[0]}\n[Socks5]\nBindAddress = {proxy[0]}:{proxy[1]}\n",
        }
    )
    return server_file, client_file


def roles(datagrams: list[Seen], settings: list[tuple[str, str]]) -> list[str]:
    """What each datagram is, with the obfuscation's `settings` known.

    What is no message of the tunnel and comes before an initiation is a signature packet or junk: signatures come
    first, one for each I1 to I5 that is set. Before the server has answered there is no data: what looks like it is
    junk whose random bytes happen to fit.
    """
    signatures = sum(1 for name, value in settings if name.upper() in ("I1", "I2", "I3", "I4", "I5") and value)
    found = []
    before_initiation = 0
    answered = False
    for datagram in datagrams:
        kind = _native.message_type(settings, datagram.data)
        answered = answered or kind == "response"
        if kind is None or (kind == "transport" and not answered):
            before_initiation += 1
            found.append("signature" if before_initiation <= signatures else "junk")
            continue
        before_initiation = 0
        found.append("data" if kind == "transport" else kind.replace("-", " "))
    return found


def _without_secret(line: str) -> str:
    name, equals, _ = line.partition("=")
    return f"{name.rstrip()} = (hidden)" if equals and name.strip().lower() in _HIDDEN_KEYS else line


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _in_units(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
