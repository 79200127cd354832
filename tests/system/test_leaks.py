"""Nothing beside the tunnel: a client's whole network is watched while the tunnel is up, down, and coming back.

.. code-block:: text

 near: client and applications                 far: server, the "internet" on its loopback, DNS
   default route ───────── cable, watched ───────── 10.179.0.2, fd79::2: the endpoint, and near's resolver

Everything in far can be reached from near without a tunnel, too: what goes there beside it is seen to.
"""

import contextlib
import itertools
import socket
import socketserver
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from interop.counterparts import namespaces, socks
from interop.counterparts.namespaces import INTERNET
from interop.counterparts.processes import Process
from tests.system.outside import Outside

NEAR, FAR = ("10.179.0.1", "fd79::1"), ("10.179.0.2", "fd79::2")
ELSEWHERE = ("10.179.0.3", "fd79::3")
"""Where near moves to."""
PORT, DEAD_PORT, SOCKS_PORT = 51820, 9, 1080
ENDPOINT, TARGET = "vpn.test", "target.test"
ZONE = {
    (ENDPOINT, "A"): FAR[0],
    (ENDPOINT, "AAAA"): FAR[1],
    (TARGET, "A"): INTERNET[4],
    (TARGET, "AAAA"): INTERNET[6],
    ("four.test", "A"): INTERNET[4],
    ("six.test", "AAAA"): INTERNET[6],
}
HOSTS = (INTERNET[4], INTERNET[6], TARGET, "four.test", "six.test")
PATIENCE = 60

pytestmark = pytest.mark.timeout(300)


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)


class _EchoDatagrams(socketserver.BaseRequestHandler):
    def handle(self):
        data, reply = self.request
        reply.sendto(data, self.client_address)


class _Datagrams6(socketserver.ThreadingUDPServer):
    address_family = socket.AF_INET6


class _Targets(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Targets6(_Targets):
    address_family = socket.AF_INET6


class _Dns(socketserver.BaseRequestHandler):
    def handle(self):
        data, reply = self.request
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        asked = question.question[0]
        name = asked.name.to_text().lower().rstrip(".")
        address = ZONE.get((name, dns.rdatatype.to_text(asked.rdtype)))
        if address is not None:
            answer.answer.append(dns.rrset.from_text(asked.name, 1, "IN", asked.rdtype, address))
        elif name not in {known for known, _ in ZONE}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        reply.sendto(answer.to_wire(), self.client_address)


class Place:
    """Two namespaces, and what runs in them."""

    def __init__(self, near, far, folder, echo_port):
        self.near, self.far, self.folder, self.echo_port = near, far, folder, echo_port

    def start(self, command, where):
        program = [sys.executable, "-m", "awgproxy", command, self.folder / f"{command}.conf"]
        return Process(f"awgproxy {command}", [*program, "--log-format", "json", "--log-level", "debug"], where.inside)

    def move(self, before, after):
        """Give near other addresses."""
        for bits, was, becomes in zip((24, 64), before, after, strict=True):
            self.near.ip(f"address del {was}/{bits} dev cable")
            self.near.ip(f"address add {becomes}/{bits} dev cable" + (" nodad" if ":" in becomes else ""))
        lead_out(self.near)

    def outside(self):
        endpoints = {*itertools.product(FAR, (PORT,)), (FAR[0], DEAD_PORT)}
        with self.near.entered():
            return Outside(endpoints, FAR[0], {ENDPOINT})

    def exchange(self, host, timeout):
        """Whether an application gets its own bytes back from a host, through the proxy."""
        try:
            with self.near.entered():
                made, reply = socks.ask(("127.0.0.1", SOCKS_PORT), (host, self.echo_port), timeout)
            with made:
                if reply != 0:
                    return False
                made.sendall(host.encode())
                return socks.take(made, len(host)) == host.encode()
        except OSError:
            return False

    def exchange_by_http(self, host, timeout):
        """The same by CONNECT."""
        authority = f"[{host}]:{self.echo_port}" if ":" in host else f"{host}:{self.echo_port}"
        try:
            with self.near.entered():
                made = socket.create_connection(("127.0.0.1", SOCKS_PORT), timeout)
            with made:
                made.settimeout(timeout)
                made.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += socks.take(made, 1)
                if head.split()[1] != b"200":
                    return False
                made.sendall(host.encode())
                return socks.take(made, len(host)) == host.encode()
        except OSError:
            return False

    def exchange_datagrams(self, host, timeout):
        """The same by datagrams of an association, sent again until one is answered."""
        try:
            with self.near.entered():
                control = socket.create_connection(("127.0.0.1", SOCKS_PORT), timeout)
                datagrams = socket.socket(type=socket.SOCK_DGRAM)
            with control, datagrams:
                control.settimeout(timeout)
                control.sendall(b"\x05\x01\x00\x05\x03\x00\x01\0\0\0\0\0\0")
                reply = socks.take(control, 12)  # the method, then the reply with an IPv4 address
                datagrams.connect((socket.inet_ntoa(reply[6:10]), int.from_bytes(reply[10:], "big")))
                datagrams.settimeout(0.5)
                until = time.monotonic() + timeout
                while time.monotonic() < until:
                    datagrams.send(b"\0\0\0" + socks.address((host, self.echo_port)) + host.encode())
                    with contextlib.suppress(TimeoutError):
                        return datagrams.recv(65536).endswith(host.encode())
        except OSError:
            pass
        return False

    def exchange_all(self, timeout):
        """What became of every way to every host, at once."""
        ways = (self.exchange, self.exchange_by_http, self.exchange_datagrams)
        with ThreadPoolExecutor(len(ways) * len(HOSTS)) as applications:
            begun = {
                (way.__name__, host): applications.submit(way, host, timeout)
                for way, host in itertools.product(ways, HOSTS)
            }
            return {way: one.result() for way, one in begun.items()}


def lead_out(near):
    """Let everything in far be reached without a tunnel."""
    for address in FAR:
        near.ip(f"{'-6' if ':' in address else '-4'} route replace default via {address}")


def serve(where, kind, address, handler, closing):
    with where.entered():
        server = kind(address, handler)
    closing.callback(server.server_close)
    closing.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server.server_address[1]


@contextlib.contextmanager
def resolver_of(namespace):
    """`ip netns exec` shows programs this file as their own."""
    folder = Path("/etc/netns", namespace.name)
    folder.mkdir(parents=True)
    file = folder / "resolv.conf"
    try:
        file.write_text(f"nameserver {FAR[0]}\noptions timeout:1 attempts:2\n")
        yield
    finally:
        file.unlink(missing_ok=True)
        folder.rmdir()


@pytest.fixture
def place(network_namespaces, tmp_path):
    with contextlib.ExitStack() as closing:
        near, far = closing.enter_context(namespaces.pair(f"{NEAR[0]}/24", f"{FAR[0]}/24"))
        for where, address in ((near, NEAR[1]), (far, FAR[1])):
            where.ip(f"address add {address}/64 dev cable nodad")
        lead_out(near)
        namespaces.internet(far)
        closing.enter_context(resolver_of(near))
        port = serve(far, _Targets, (INTERNET[4], 0), _Echo, closing)
        serve(far, _Targets6, (INTERNET[6], port), _Echo, closing)
        serve(far, socketserver.ThreadingUDPServer, (INTERNET[4], port), _EchoDatagrams, closing)
        serve(far, _Datagrams6, (INTERNET[6], port), _EchoDatagrams, closing)
        for address in (FAR[0], INTERNET[4]):
            serve(far, socketserver.ThreadingUDPServer, (address, 53), _Dns, closing)
        write_pair(tmp_path)
        yield Place(near, far, tmp_path, port)


def write_pair(folder):
    subprocess.run(
        [
            *(sys.executable, "-m", "awgproxy", "new", "--profile", "awg2"),
            *("--endpoint", f"{ENDPOINT}:{PORT}", "--directory", folder),
        ],
        check=True,
        capture_output=True,
    )
    client, server = folder / "client.conf", folder / "server.conf"
    named = f"Endpoint = {ENDPOINT}:{PORT}"
    text = client.read_text()
    assert named in text
    client.write_text(text.replace(named, f"Endpoint = {FAR[0]}:{DEAD_PORT}\n{named}"))
    opened = f"[Server]\nDNS = {INTERNET[4]}\nAllow = {INTERNET[4]}, {INTERNET[6]}\n"
    server.write_text(server.read_text().replace("[Server]\n", opened))


def assert_all(outcomes):
    assert [way for way, outcome in outcomes.items() if not outcome] == []


def assert_none(outcomes):
    assert [way for way, outcome in outcomes.items() if outcome] == []


def test_nothing_leaves_beside_the_tunnel(place):
    with place.outside() as outside, contextlib.ExitStack() as running:
        server = running.enter_context(place.start("server", place.far))
        server.wait_for("server is ready", PATIENCE)
        client = running.enter_context(place.start("client", place.near))
        client.wait_for("SOCKS5 is ready", PATIENCE)
        # Nobody is at the first endpoint: until the second one has its turn there is no tunnel.
        early = place.exchange_all(timeout=2)
        if not client.said("tunnel up"):
            assert_none(early)
        client.wait_for("another endpoint is tried", PATIENCE)
        client.wait_for("tunnel up", PATIENCE)
        assert_all(place.exchange_all(PATIENCE))
        assert outside.look().leaks == []
        assert outside.tunnel > 0
        assert set(outside.asked) == {ENDPOINT}

        place.move(NEAR, ELSEWHERE)
        client.wait_for("the network changed", PATIENCE)
        client.wait_for("tunnel rekeyed", PATIENCE)
        assert_all(place.exchange_all(PATIENCE))
        assert outside.look().leaks == []

        asked, sent = len(outside.asked), outside.tunnel
        server.kill()
        with ThreadPoolExecutor(1) as meanwhile:
            attempts = meanwhile.submit(place.exchange_all, timeout=3)
            place.move(ELSEWHERE, NEAR)
            client.wait_for("another endpoint is tried", PATIENCE)
            assert_none(attempts.result())
        client.wait_until(lambda: len(outside.look().asked) > asked, "asking for its endpoint's name again", PATIENCE)
        assert outside.leaks == []
        assert outside.tunnel > sent, "it did not try to reach its server"

        server = running.enter_context(place.start("server", place.far))
        client.wait_for("tunnel rekeyed", PATIENCE)
        assert_all(place.exchange_all(PATIENCE))
        assert outside.look().leaks == []


DIRECT = {
    "TCP over IPv4": f"import socket; socket.create_connection(('{INTERNET[4]}', PORT), 5)",
    "TCP over IPv6": f"import socket; socket.create_connection(('{INTERNET[6]}', PORT), 5)",
    "UDP": f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{INTERNET[4]}', 443))",
    "UDP to another port of the server": (
        f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{FAR[0]}', 443))"
    ),
    "another name": f"import socket; socket.getaddrinfo('{TARGET}', 443)",
    "ping": (
        "import socket; socket.socket(type=socket.SOCK_RAW, proto=1)"
        f".sendto(bytes((8, 0, 0xf7, 0xff, 0, 0, 0, 0)), ('{INTERNET[4]}', 0))"
    ),
}


def test_what_goes_out_directly_is_seen(place):
    for what, program in DIRECT.items():
        with place.outside() as outside:
            place.near.run([sys.executable, "-c", program.replace("PORT", str(place.echo_port))])
            assert outside.look().leaks, f"{what} went unnoticed"
    with place.outside() as outside:
        place.near.run([sys.executable, "-c", f"import socket; socket.getaddrinfo('{ENDPOINT}', {PORT})"])
        assert outside.look().leaks == []
        assert outside.asked
