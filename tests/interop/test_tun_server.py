"""The reference's TUN daemon as a server, awgproxy as its client: ordinary programs at both ends.

.. code-block:: text

near                                          far
curl, iperf3 ─ awgproxy client ══ cable, UDP ══ TUN daemon ─ kernel ─ web server, iperf3, services
"""

from __future__ import annotations

import contextlib

import pytest

from interop.counterparts import conversation, daemons, ends, namespaces
from interop.counterparts.configuration import CLIENT_ADDRESSES, EVERYTHING, SERVER_ADDRESSES, Tunnel
from interop.counterparts.forward import forward
from tests.interop import ordinary

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")

CABLE = {4: ("10.181.0.1", "10.181.0.2"), 6: ("fd81::1", "fd81::2")}
PORT = 51820


@pytest.mark.parametrize("outer", CABLE)
def test_ordinary_programs(outer, tmp_path):
    ordinary.required("curl", "ping", "iperf3")
    here, there = CABLE[outer]
    bits = {4: 30, 6: 126}[outer]
    tunnel = Tunnel(ends.join(there, PORT), EVERYTHING, preshared=True, inner=(4, 6), mtu=1360)
    with contextlib.ExitStack() as running:
        start = running.enter_context
        near, far = start(namespaces.pair(f"{here}/{bits}", f"{there}/{bits}"))
        start(daemons.server("reference", tunnel, tmp_path, far, PORT))
        _, services = start(ends.target(tuple(SERVER_ADDRESSES.values()), (), far.inside))
        start(ordinary.servers(far, tmp_path))
        client = start(ends.client("awgproxy", tunnel, tmp_path, inside=near.inside))
        start(near.entered())
        for version, address in SERVER_ADDRESSES.items():
            conversation.upload(client.socks, services[version]["digest"], 10_000_000)
            ordinary.ping(far, CLIENT_ADDRESSES[version])
            ordinary.fetch(near, address, tmp_path, "--socks5-hostname", ends.join(*client.socks))
            with forward(client.socks, (address, ordinary.IPERF)) as port:
                ordinary.measure(near, "127.0.0.1", port=port)
                ordinary.measure(near, "127.0.0.1", "--reverse", port=port)
