"""What changes under a running tunnel: the peer's address, either end restarted, the keys.

The times are the protocol's own: a peer that restarted is noticed 15 s after data that nothing answered, and keys are
renewed after 120 s.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from interop.counterparts import conversation, ends, socks
from interop.counterparts.configuration import EVERYTHING, Tunnel
from interop.counterparts.relay import Relay

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "internet")

TUNNEL = Tunnel(obfuscation=EVERYTHING)
PAIRS = [("awgproxy", "reference"), ("reference", "awgproxy")]


@contextlib.contextmanager
def connected(client_kind, server_kind, folder, tunnel=TUNNEL):
    """A client that reaches its server through a relay, and one connection through both that has moved data."""
    with (
        ends.server(server_kind, tunnel, folder) as server,
        Relay(("127.0.0.1", int(server.endpoint.split(":")[1]))) as relay,
        ends.client(client_kind, tunnel.at(relay.endpoint), folder) as client,
        socks.connect(client.socks, server.services[4]["echo"]) as connection,
    ):
        exchange(connection)
        yield client, server, relay, connection


def exchange(connection):
    message = b"still the same connection"
    connection.sendall(message)
    assert socks.take(connection, len(message)) == message


@pytest.mark.parametrize("pair", PAIRS)
def test_a_client_that_moved_keeps_its_connections(pair, tmp_path):
    with connected(*pair, tmp_path) as (_, server, relay, connection):
        before = relay.outside
        relay.move()
        assert relay.outside != before
        exchange(connection)
        if pair[1] == "reference":
            server.process.wait_for("endpoint", where=lambda line: line["to"] == relay.outside)


def test_a_reference_client_that_changed_its_port_keeps_its_connections(tmp_path):
    with (
        ends.server("awgproxy", TUNNEL, tmp_path) as server,
        ends.client("reference", TUNNEL.at(server.endpoint), tmp_path) as client,
        socks.connect(client.socks, server.services[4]["echo"]) as connection,
    ):
        exchange(connection)
        client.process.command("listen-port 0", "listen-port")
        exchange(connection)


def test_a_server_that_moved_keeps_our_clients_connections(tmp_path):
    """It has to speak first: its keepalive of each second tells our client where it is now."""
    tunnel = dataclasses.replace(TUNNEL, obfuscation={}, persistent_keepalive=1)
    with (
        ends.server("reference", tunnel, tmp_path) as server,
        ends.client("awgproxy", tunnel.at(server.endpoint), tmp_path) as client,
        socks.connect(client.socks, server.services[4]["echo"]) as connection,
    ):
        exchange(connection)
        server.process.command("listen-port 0", "listen-port")
        exchange(connection)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_restarted_client_is_let_in_at_once(pair, tmp_path):
    client_kind, server_kind = pair
    with ends.server(server_kind, TUNNEL, tmp_path) as server:
        for _ in range(2):
            with ends.client(client_kind, TUNNEL.at(server.endpoint), tmp_path) as client:
                conversation.echo(client.socks, server.services[4]["echo"])
                client.process.kill()


@pytest.mark.parametrize("pair", PAIRS)
def test_a_restarted_server_is_found_again(pair, tmp_path):
    client_kind, server_kind = pair
    port = ends.free_port(socket.SOCK_DGRAM)
    with contextlib.ExitStack() as running:
        with ends.server(server_kind, TUNNEL, tmp_path, port=port) as server:
            client = running.enter_context(ends.client(client_kind, TUNNEL.at(server.endpoint), tmp_path))
            conversation.echo(client.socks, server.services[4]["echo"])
            server.process.kill()
        with ends.server(server_kind, TUNNEL, tmp_path, port=port) as server:
            conversation.eventually(lambda: conversation.echo(client.socks, server.services[4]["echo"]), within=45)


@pytest.mark.slow
def test_data_passes_across_new_keys(tmp_path):
    """100 MB each way on both pairs at once, drawn out past the age at which keys are renewed."""
    size, seconds = 100_000_000, 128
    with contextlib.ExitStack() as running, ThreadPoolExecutor() as threads:
        transfers, witnesses = [], []
        for client_kind, server_kind in PAIRS:
            folder = tmp_path / client_kind
            folder.mkdir()
            server = running.enter_context(ends.server(server_kind, TUNNEL, folder))
            client = running.enter_context(ends.client(client_kind, TUNNEL.at(server.endpoint), folder))
            services = server.services[4]
            transfers += [
                threads.submit(conversation.download, client.socks, services["source"], size, seconds),
                threads.submit(conversation.upload, client.socks, services["digest"], size, seconds),
            ]
            witnesses.append(server.process if server_kind == "reference" else client.process)
        for transfer in transfers:
            transfer.result()
        for witness in witnesses:
            assert len(witness.said("handshake")) >= 2, witness.report("the keys were not renewed")
