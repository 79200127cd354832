"""A handshake that somebody recorded, sent again to a server that was killed and started anew."""

import json
import socket
import time

import pytest

from tests.system.wire import Wire
from tests.system.world import SERVER_PORT, World

PATIENCE = 20


@pytest.fixture
def recorded(namespace, tmp_path):
    """A world whose server has been killed, and every datagram that its client sent until the tunnel was up."""
    with namespace.entered():
        wire = Wire(range(SERVER_PORT, SERVER_PORT + 1))
    with wire, World(namespace, tmp_path) as made:
        state = tmp_path / "server.conf.state"
        deadline = time.monotonic() + PATIENCE
        while not (state.exists() and json.loads(state.read_text())["timestamps"]):
            assert time.monotonic() < deadline, "the last handshake is not on disk"
            time.sleep(0.01)
        made.client.kill()
        made.server.kill()
        datagrams = [datagram.payload for datagram in wire.take()]
        assert datagrams
        yield made, datagrams, state


def answers(world, datagrams, until):
    """What comes back to a stranger who sends these; `until` waits for the server to have had them all."""
    with world.inside():
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:
        stranger.connect(("127.0.0.1", SERVER_PORT))
        for datagram in datagrams:
            stranger.send(datagram)
        until(stranger)
        stranger.setblocking(False)
        found = []
        while True:
            try:
                found.append(stranger.recv(65535))
            except BlockingIOError:
                return found


def test_after_a_restart_a_recorded_handshake_hears_nothing(recorded):
    world, datagrams, state = recorded
    assert state.stat().st_mode & 0o777 == 0o600
    with world.start("server", "server.conf") as server:
        server.wait_for("server is ready")

        def until(_):
            with world.start("client", "client.conf") as client:
                client.wait_for("tunnel up")  # what came before it has been judged

        assert answers(world, datagrams, until) == []


def test_without_what_was_kept_the_same_handshake_is_answered(recorded):
    world, datagrams, state = recorded
    state.unlink()
    with world.start("server", "server.conf") as server:
        server.wait_for("server is ready")

        def until(stranger):
            stranger.settimeout(PATIENCE)
            assert stranger.recv(65535, socket.MSG_PEEK)

        assert len(answers(world, datagrams, until)) >= 1
