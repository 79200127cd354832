"""A service of the client's machine behind `[TCPServerTunnel]`, reached by ordinary programs at the reference's end.

.. code-block:: text

near                                                      far
web server ─ awgproxy client: ListenPort 8080 ══ cable ══ TUN daemon ─ kernel ─ curl
"""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from interop.counterparts import daemons, ends, namespaces, programs
from interop.counterparts.configuration import CLIENT_ADDRESSES, EVERYTHING, Tunnel
from interop.counterparts.processes import Process
from tests.interop import ordinary

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")

CABLE = ("10.182.0.1", "10.182.0.2")
PORT = 51820
WEB, EXPOSED, BY_NAME = 8080, 8081, 8082


def test_ordinary_programs_reach_a_service_of_the_clients_machine(tmp_path):
    ordinary.required("curl")
    here, there = CABLE
    content = os.urandom(10_000_000)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "page").write_bytes(content)
    tunnel = Tunnel(ends.join(there, PORT), EVERYTHING, preshared=True, inner=(4, 6), mtu=1360)
    sections = "".join(
        f"[TCPServerTunnel]\nListenPort = {port}\nTarget = {host}:{WEB}\n"
        for port, host in ((EXPOSED, "127.0.0.1"), (BY_NAME, "localhost"))
    )
    with contextlib.ExitStack() as running:
        start = running.enter_context
        near, far = start(namespaces.pair(f"{here}/30", f"{there}/30"))
        start(daemons.server("reference", tunnel, tmp_path, far, PORT))
        web = [sys.executable, "-m", "http.server", str(WEB), "--bind", "127.0.0.1", "--directory", tmp_path / "web"]
        pages = start(Process("web server", web, near.inside))
        pages.wait_until(lambda: ends.listening(pages.pid, WEB), "listening")
        file = ends.write(tmp_path, "client.conf", tunnel.client_file() + sections)
        command = [programs.awgproxy(), "client", "--log-format", "json", file]
        client = start(Process("awgproxy client", command, near.inside))
        client.wait_for("tunnel up")
        curl = ["curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--output", str(tmp_path / "got")]
        for address in CLIENT_ADDRESSES.values():
            for port in (EXPOSED, BY_NAME):
                far.run([*curl, f"http://{ends.join(address, port)}/page"], 70)
                assert (tmp_path / "got").read_bytes() == content
            with pytest.raises(namespaces.CommandError):
                far.run([*curl, f"http://{ends.join(address, WEB)}/page"], 70)
