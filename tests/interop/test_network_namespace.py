"""TUN daemons of other authors as clients of awgproxy's server: ordinary programs in a network of their own.

.. code-block:: text

near                                      far
curl, ping, dig, iperf3                   awgproxy server ─ the "internet": addresses on far's loopback
  └ kernel ─ TUN daemon ══ cable, UDP ════════┘
"""

from __future__ import annotations

import contextlib
import socket

import pytest

from interop.counterparts import conversation, daemons, ends, namespaces
from interop.counterparts.configuration import EVERYTHING, PLAIN, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.namespaces import INTERNET
from tests.interop import ordinary

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")

CABLE = {4: ("10.179.0.1", "10.179.0.2"), 6: ("fd79::1", "fd79::2")}
PORT = 51820

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
    ordinary.required("curl", "ping", "dig", "iperf3")
    here, there = CABLE[outer]
    bits = {4: 30, 6: 126}[outer]
    tunnel = Tunnel(f"{ends.join(there, PORT)}", obfuscation, inner=(4, 6), mtu=1360)
    ours = Ours(allow=(f"{INTERNET[4]}/32", f"{INTERNET[6]}/128"), names=INTERNET[4])
    with contextlib.ExitStack() as running:
        start = running.enter_context
        near, far = start(namespaces.pair(f"{here}/{bits}", f"{there}/{bits}"))
        namespaces.internet(far)
        start(ends.target(inside=far.inside))
        start(ordinary.servers(far, tmp_path))
        start(ends.awgproxy_server(tunnel, tmp_path, PORT, ours, far.inside))
        start(daemons.client(kind, tunnel, tmp_path, near))
        yield near


def test_ordinary_programs(near, tmp_path):
    for version in (4, 6):
        own = SERVER_ADDRESSES[version]
        ordinary.ping(near, own)
        record = {4: "A", 6: "AAAA"}[version]
        for transport in ("+notcp", "+tcp"):
            answer = near.run(["dig", f"@{own}", "+short", "+time=5", transport, "web.test", record])
            assert answer.strip() == INTERNET[version]
        ordinary.fetch(near, INTERNET[version], tmp_path)
        ordinary.measure(near, INTERNET[version])
        ordinary.measure(near, INTERNET[version], "--reverse")
        ordinary.measure(near, INTERNET[version], "--udp", "--bitrate", "50M", size=10_000_000)


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
