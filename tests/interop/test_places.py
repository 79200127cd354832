"""Changes of place that only one of the implementations can make; those that both can are in `test_matrix`."""

from __future__ import annotations

import dataclasses

import pytest

from interop.counterparts import ends, socks
from interop.counterparts.configuration import EVERYTHING, Tunnel
from tests.interop import matrix

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "internet")

TUNNEL = Tunnel(obfuscation=EVERYTHING)


def test_a_reference_client_that_changed_its_port_keeps_its_connections(tmp_path):
    with (
        ends.server("awgproxy", TUNNEL, tmp_path) as server,
        ends.client("reference", TUNNEL.at(server.endpoint), tmp_path) as client,
        socks.connect(client.socks, server.services[4]["echo"]) as connection,
    ):
        matrix.exchange(connection)
        client.process.command("listen-port 0", "listen-port")
        matrix.exchange(connection)


def test_a_server_that_moved_keeps_our_clients_connections(tmp_path):
    """It has to speak first: its keepalive of each second tells our client where it is now."""
    tunnel = dataclasses.replace(TUNNEL, obfuscation={}, persistent_keepalive=1)
    with (
        ends.server("reference", tunnel, tmp_path) as server,
        ends.client("awgproxy", tunnel.at(server.endpoint), tmp_path) as client,
        socks.connect(client.socks, server.services[4]["echo"]) as connection,
    ):
        matrix.exchange(connection)
        server.process.command("listen-port 0", "listen-port")
        matrix.exchange(connection)
