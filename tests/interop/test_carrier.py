"""The carrier between our own ends, and a server that is exchanged for the reference and back."""

from __future__ import annotations

import contextlib
import functools
import socket

import pytest

from awgproxy.config.generate import Plan, Profile, generate
from interop.counterparts import conversation, ends, programs, socks
from interop.counterparts.configuration import EVERYTHING, SERVER_ADDRESSES, Ours, Tunnel
from interop.counterparts.processes import Process
from tests.interop import matrix
from tests.interop.configurations import Configuration

pytestmark = pytest.mark.usefixtures("awgproxy", "internet")

PORT = 51443


def carried(carrier, inner=4):
    return Ours(carrier=carrier, carrier_address=ends.join(SERVER_ADDRESSES[inner], PORT))


@pytest.mark.parametrize(
    ("scene", "inner"),
    [
        pytest.param(matrix.data_passes, 6, id="data-ipv6"),
        pytest.param(matrix.client_moves, 4, id="client-moves"),
        pytest.param(functools.partial(matrix.peers_at_once, 3), 4, id="3-peers"),
    ],
)
def test_carried_alone(scene, inner, tmp_path):
    tunnel = Tunnel(obfuscation=EVERYTHING, inner=(inner,))
    scene("awgproxy", "awgproxy", Configuration(tunnel, ours=carried("quic", inner)), tmp_path)


@pytest.mark.usefixtures("go_programs")
def test_a_server_is_exchanged_for_the_reference_and_back(tmp_path):
    """With `auto` connections ride on packets where nobody knows of carriers, and on streams again afterwards."""
    tunnel, port = Tunnel(obfuscation=EVERYTHING), ends.free_port(socket.SOCK_DGRAM)
    with contextlib.ExitStack() as running:
        with ends.server("awgproxy", tunnel, tmp_path, port=port) as server:
            client = running.enter_context(
                ends.client("awgproxy", tunnel.at(server.endpoint), tmp_path, carried("auto"))
            )
            client.process.wait_for("carrier up")
            _talk(client, server)
            kept = running.enter_context(socks.connect(client.socks, server.services[4]["echo"]))
            matrix.exchange(kept)
            server.process.kill()
        with ends.server("reference", tunnel, tmp_path, port=port) as server:
            conversation.eventually(lambda: _talk(client, server), within=matrix.FOUND_AGAIN)
            client.process.wait_for("carrier down")
            with pytest.raises(ConnectionResetError):
                kept.recv(1)
            server.process.kill()
        with ends.server("awgproxy", tunnel, tmp_path, port=port) as server:
            client.process.wait_for("carrier up")
            _talk(client, server)


def _talk(client, server):
    for target in (server.services[4]["echo"], ("any.name.test", 7)):
        conversation.echo(client.socks, target)


@pytest.mark.usefixtures("go_programs")
def test_the_reference_takes_a_new_clients_file(tmp_path):
    """Its parser refuses every key that it does not know, as the apps do."""
    made = generate(Plan("127.0.0.1", port=ends.free_port(socket.SOCK_DGRAM), path_mtu=1500, profile=Profile.AWG2))
    assert "#@ CarrierAddress" in made.clients[0]
    file = ends.write(tmp_path, "client.conf", made.clients[0])
    program = [programs.go_programs() / "reference-client", "-config", file, "-socks", "127.0.0.1:0"]
    with Process("reference client", program) as reference:
        reference.wait_for("ready")
