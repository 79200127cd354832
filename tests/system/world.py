"""The world of the system tests: targets, DNS, a server and a client, all inside one network namespace."""

import contextlib
import hashlib
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from interop.counterparts import socks
from interop.counterparts.namespaces import Namespace
from interop.counterparts.processes import Process

SOCKS_PORT = 1080
SERVER_PORT = 51820
ALLOWED = ("127.0.0.0/8", "::1/128", "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24", "233.252.0.0/24")
ZONE = {
    ("target.test.", "A"): ["127.0.0.1"],
    ("target.test.", "AAAA"): ["::1"],
    ("four.test.", "A"): ["127.0.0.1"],
    **{(f"host{number}.test.", "A"): ["127.0.0.1"] for number in range(8)},
    ("split.test.", "A"): ["127.0.0.1"],
    ("split.test.", "AAAA"): ["2606:4700:4700::1111"],  # public, and nowhere from here
    ("private.test.", "A"): ["10.1.2.3"],
}


class _Targets(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)


class _Source(socketserver.StreamRequestHandler):
    """Sends as many zero bytes as the line says."""

    def handle(self):
        with contextlib.suppress(OSError, ValueError):
            left = int(self.rfile.readline())
            block = bytes(65536)
            while left > 0:
                self.request.sendall(block[: min(left, len(block))])
                left -= len(block)


class _Digest(socketserver.BaseRequestHandler):
    """Reads to the end, then answers with the SHA-256: the answer needs half-close."""

    def handle(self):
        digest = hashlib.sha256()
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                digest.update(data)
            self.request.sendall(digest.hexdigest().encode())


class _ResetAfterHello(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"hello")
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.request.recv(1)
        self.request.close()


class _Dns(socketserver.BaseRequestHandler):
    def handle(self):
        if isinstance(self.request, tuple):
            data, reply = self.request
            reply.sendto(_answer(data), self.client_address)
            return
        length = int.from_bytes(self.request.recv(2), "big")
        answer = _answer(self.request.recv(length))
        self.request.sendall(len(answer).to_bytes(2, "big") + answer)


def _answer(data: bytes) -> bytes:
    question = dns.message.from_wire(data)
    answer = dns.message.make_response(question)
    asked = question.question[0]
    name = asked.name.to_text().lower()
    records = ZONE.get((name, dns.rdatatype.to_text(asked.rdtype)))
    if records:
        answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", asked.rdtype, *records))
    elif not any(known == name for known, _ in ZONE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()


def with_targets(server: str) -> str:
    """A server's configuration that lets clients reach the targets."""
    return server.replace("[Server]\n", f"[Server]\nDNS = 127.0.0.53\nAllow = {', '.join(ALLOWED)}\n")


class _Targets6(_Targets):
    address_family = socket.AF_INET6


class World:
    """Targets by name in `ports`; `proxy` is where applications connect, from `inside`."""

    ipv6 = True
    """Whether the network has it."""
    behind: tuple[str, ...] = ()
    """What stands before the command of each end."""
    carrier: str | None = None
    """What the client says of it; None leaves it at what `awgproxy new` makes."""
    profile = "awg3"
    """Of the pair that is made."""

    def __init__(self, namespace: Namespace, folder: Path):
        self.namespace = namespace
        self.folder = folder
        self.proxy = ("127.0.0.1", SOCKS_PORT)
        self.ports: dict[str, int] = {}
        self._servers = []
        self._exit = contextlib.ExitStack()

    def inside(self):
        """Sockets that this thread makes meanwhile are in the namespace."""
        return self.namespace.entered()

    def connect(self, service: str) -> socket.socket:
        """A connection to one of the targets, through the proxy. Raises socks.RefusedError, OSError."""
        with self.inside():
            return socks.connect(self.proxy, ("127.0.0.1", self.ports[service]))

    def ask(self, host: str, port: int) -> tuple[socket.socket, int]:
        """What came of asking the proxy for a connection, and its reply."""
        with self.inside():
            return socks.ask(self.proxy, (host, port))

    def ask_soon(self, host: str, port: int) -> socket.socket:
        """An application that has said all that it says for a connection, and has yet to read the answer."""
        with self.inside():
            application = socket.create_connection(self.proxy, timeout=60)
        application.sendall(socks.opening((host, port)))
        return application

    def __enter__(self):
        with self.inside():
            for name, handler in (
                ("echo", _Echo),
                ("source", _Source),
                ("digest", _Digest),
                ("reset", _ResetAfterHello),
            ):
                self.ports[name] = self._serve(_Targets(("127.0.0.1", 0), handler))
            if self.ipv6:
                self._serve(_Targets6(("::1", self.ports["echo"]), _Echo))
            self._serve(socketserver.ThreadingUDPServer(("127.0.0.53", 53), _Dns))
            self._serve(_Targets(("127.0.0.53", 53), _Dns))
        self.write_pair()
        self.server = self.start("server", "server.conf")
        self._exit.callback(self.server.kill)
        self.server.wait_for("server is ready")
        self.start_client()
        return self

    def __exit__(self, *_):
        self._exit.close()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def start_client(self):
        """Start the client, and wait until it serves."""
        self.client = self.start("client", "client.conf")
        self._exit.callback(self.client.kill)
        self.client.wait_for("SOCKS5 is ready")
        self.client.wait_for("tunnel up")

    def start(self, command: str, file: str) -> Process:
        program = [sys.executable, "-m", "awgproxy", command, self.folder / file]
        options = ["--log-format", "json", "--log-level", "debug"]
        return Process(f"awgproxy {command}", [*self.behind, *program, *options], self.namespace.inside)

    @contextlib.contextmanager
    def client_in_a_shell(self, rest: str):
        """A client in place of the one that runs, its streams as the `rest` of a shell's line says; ends in order."""
        self.client.stop()
        command = ["/bin/sh", "-c", f'exec "$0" -m awgproxy client "$1" {rest}', sys.executable]
        client = subprocess.Popen([*self.namespace.inside, *command, self.folder / "client.conf"])
        try:
            self.server.wait_for("peer moved")
            yield
            client.terminate()
            assert client.wait(20) == 0
        finally:
            client.kill()
            client.wait()

    @contextlib.contextmanager
    def page(self, content: bytes):
        """The port of a web site of one page, for one visit."""
        with self.inside():
            listening = socket.create_server(("127.0.0.1", 0))

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + content)

        threading.Thread(target=serve, daemon=True).start()
        with listening:
            yield listening.getsockname()[1]

    def write(self, name: str, text: str):
        """A file of the folder that nobody else may read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    def write_pair(self):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "awgproxy",
                "new",
                "--endpoint",
                f"127.0.0.1:{SERVER_PORT}",
                "--profile",
                self.profile,
                "--directory",
                self.folder,
            ],
            check=True,
            capture_output=True,
        )
        file = self.folder / "server.conf"
        file.write_text(with_targets(file.read_text()))
        if self.carrier is not None:
            with (self.folder / "client.conf").open("a") as client:
                client.write(f"[Tunnel]\nCarrier = {self.carrier}\n")

    def _serve(self, server) -> int:
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server.server_address[1]
