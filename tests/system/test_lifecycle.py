"""Starting, stopping, failing: what an operator does to the programs."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios

import pytest

from interop.counterparts import conversation, socks
from tests.system.world import World


@pytest.fixture
def own_world(namespace, tmp_path):
    with World(namespace, tmp_path) as made:
        yield made


def test_a_signal_ends_both_with_code_zero(own_world):
    made = own_world.connect("echo")
    made.close()
    assert own_world.client.stop() == 0
    assert own_world.server.stop() == 0


def test_a_closed_terminal_ends_a_client_in_order(own_world):
    """Also though its log has nowhere to go from then on."""
    own_world.client.stop()
    terminal, its_end = os.openpty()
    client = subprocess.Popen(
        [*own_world.namespace.inside, sys.executable, "-m", "awgproxy", "client", own_world.folder / "client.conf"],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(its_end),  # noqa: PLW1509
    )
    os.close(its_end)
    try:
        own_world.server.wait_for("peer moved")
        made = own_world.connect("echo")
        made.sendall(b"x")
        assert made.recv(1) == b"x"
        os.close(terminal)
        made.close()
        assert client.wait(20) == 0
    finally:
        client.kill()
        client.wait()


def _take_terminal(descriptor):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what started the tests may ignore it
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def test_a_signal_lets_a_running_transfer_finish(own_world):
    made = own_world.connect("digest")
    made.sendall(b"first")
    own_world.client.send(signal.SIGINT)
    own_world.client.wait_for("stopping")
    made.sendall(b"second")
    made.shutdown(socket.SHUT_WR)
    assert len(socks.take(made, 64)) == 64
    made.close()
    assert own_world.client.wait() == 0


def test_a_second_signal_ends_it_at_once(own_world):
    made = own_world.connect("echo")
    own_world.client.send(signal.SIGTERM)
    own_world.client.wait_for("stopping")
    own_world.client.send(signal.SIGTERM)
    own_world.client.wait_for("ending at once")
    assert own_world.client.wait() == 0
    with pytest.raises(ConnectionResetError):
        made.recv(1)
    made.close()


def test_a_client_that_stops_while_its_server_is_gone_resets_what_is_unfinished(own_world):
    made = own_world.connect("source")
    made.sendall(b"1000000000\n")
    socks.take(made, 1_000_000)
    own_world.server.kill()
    own_world.client.send(signal.SIGTERM)
    with pytest.raises(ConnectionResetError):
        socks.take_all(made)
    made.close()


def test_the_limit_of_open_files_is_in_the_log(own_world):
    for program in (own_world.server, own_world.client):
        program.stop()
        (entry,) = program.said("limit of open files")
        assert entry["level"] == "info"


def test_a_killed_client_never_makes_a_truncated_transfer_look_complete(own_world):
    made = own_world.connect("source")
    made.sendall(b"1000000000\n")
    socks.take(made, 1_000_000)
    own_world.client.kill()
    with pytest.raises(ConnectionResetError):
        socks.take_all(made)
    made.close()


def test_a_killed_server_never_makes_a_truncated_upload_look_complete(own_world):
    with own_world.inside():
        target = socket.create_server(("127.0.0.1", 0))
    made, _ = own_world.ask(*target.getsockname())
    taken, _ = target.accept()
    made.sendall(b"the first half")
    socks.take(taken, 14)
    own_world.server.kill()
    with pytest.raises(ConnectionResetError):
        taken.recv(1)
    for one in (made, taken, target):
        one.close()


@pytest.mark.slow
def test_a_running_client_finds_a_restarted_server_by_itself_and_resets_what_that_does_not_know(own_world):
    unfinished = own_world.connect("source")
    unfinished.sendall(b"1000000000\n")
    socks.take(unfinished, 1_000_000)
    own_world.server.kill()
    with own_world.start("server", "server.conf") as server:
        server.wait_for("server is ready")
        conversation.eventually(lambda: own_world.connect("echo").close(), within=45)
        # It only receives, so the client asks; what the new server has never heard of, it answers by a reset.
        with pytest.raises(ConnectionResetError):
            socks.take_all(unfinished)
        unfinished.close()


def test_without_standard_streams_it_serves_and_ends_in_order(own_world):
    with own_world.client_in_a_shell("<&- >&- 2>&-"):
        own_world.connect("echo").close()


@pytest.mark.parametrize("command", ["server", "client"])
def test_a_port_in_use_is_one_clear_line(own_world, command):
    with own_world.start(command, f"{command}.conf") as second:
        assert second.wait() != 0
        text = second.report("it cannot have the port")
    assert "in use" in text
    assert "Traceback" not in text
