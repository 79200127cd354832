"""TUN daemons of other authors as clients of awgproxy's server: ordinary programs in a network of their own.

.. code-block:: text

near                                      far
curl, ping, dig                           awgproxy server ─ the "internet": addresses on far's loopback
  └ kernel ─ TUN daemon ══ cable, UDP ════════┘
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import sys

import pytest

from interop.counterparts import conversation, daemons, ends, namespaces
from interop.counterparts.configuration import EVERYTHING, PLAIN, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.namespaces import INTERNET
from interop.counterparts.processes import Process
from tests.required import require

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")

CABLE = {4: ("10.179.0.1", "10.179.0.2"), 6: ("fd79::1", "fd79::2")}
PORT = 51820
WEB = 8080

DAEMONS = {
    "reference": ("reference", EVERYTHING, 4),
    "reference-ipv6": ("reference", EVERYTHING, 6),
    "boringtun": ("boringtun", PLAIN, 4),
}


@pytest.fixture(params=DAEMONS)
def near(request, tmp_path):
    """The namespace whose every packet goes through a daemon's tunnel to our server."""
    kind, obfuscation, outer = DAEMONS[request.param]
    if kind == "boringtun":
        request.getfixturevalue("boringtun")
    for tool in ("curl", "ping", "dig"):
        require(shutil.which(tool), f"{tool} is not installed")
    here, there = CABLE[outer]
    bits = {4: 30, 6: 126}[outer]
    tunnel = Tunnel(f"{ends.join(there, PORT)}", obfuscation, inner=(4, 6), mtu=1360)
    ours = Ours(allow=(f"{INTERNET[4]}/32", f"{INTERNET[6]}/128"), names=INTERNET[4])
    (tmp_path / "web").mkdir()
    with contextlib.ExitStack() as running:
        start = running.enter_context
        near, far = start(namespaces.pair(f"{here}/{bits}", f"{there}/{bits}"))
        namespaces.internet(far)
        start(ends.target(inside=far.inside))
        web = [sys.executable, "-m", "http.server", str(WEB), "--bind", "::", "--directory", tmp_path / "web"]
        server = start(Process("web server", web, far.inside))
        server.wait_until(lambda: ends.listening(server.pid, WEB), "listening")
        start(ends.awgproxy_server(tunnel, tmp_path, PORT, ours, far.inside))
        start(daemons.client(kind, tunnel, tmp_path, near))
        yield near


def test_ordinary_programs(near, tmp_path):
    page = b"".join(conversation.pieces(100_000_000))
    (tmp_path / "web" / "page").write_bytes(page)
    for version in (4, 6):
        own = SERVER_ADDRESSES[version]
        near.run(["ping", "-c", "3", "-i", "0.2", "-w", "20", own])
        record = {4: "A", 6: "AAAA"}[version]
        for transport in ("+notcp", "+tcp"):
            answer = near.run(["dig", f"@{own}", "+short", "+time=5", transport, "web.test", record])
            assert answer.strip() == INTERNET[version]
        got = tmp_path / f"got-{version}"
        url = f"http://{ends.join(INTERNET[version], WEB)}/page"
        near.run(["curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--output", str(got), url], 70)
        assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(page).digest()
        got.unlink()


def test_uploads_and_datagrams(near):
    for version in (4, 6):
        with near.entered():
            conversation.upload(None, (INTERNET[version], 10), 100_000_000 if version == 4 else 10_000_000)
            datagrams(version, (INTERNET[version], 7))


def datagrams(version, service):
    """There and back: an empty one, one that fills a packet, one that takes fragments."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as flow:
        flow.settimeout(10)
        flow.connect(service)
        for size in (0, 1, 1300, 4000):
            message = bytes(conversation.pattern_digest(size), "ascii").ljust(size, b".")[:size]
            flow.send(message)
            assert flow.recv(65536) == message


def test_what_the_server_may_not_reach_is_refused(near):
    """The policy's answer comes through the tunnel as ICMP: the kernel says so at once and runs into no timeout."""
    with near.entered(), pytest.raises(OSError) as refused:  # noqa: PT011
        socket.create_connection(("10.179.0.99", 22), timeout=10)
    assert not isinstance(refused.value, TimeoutError)


def test_a_closed_port_is_refused(near):
    with near.entered(), pytest.raises(ConnectionRefusedError):
        socket.create_connection((INTERNET[4], 1), timeout=10)
