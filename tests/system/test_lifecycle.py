"""Starting, stopping, failing: what an operator does to the programs."""

import json
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.system.socks import connect, read_to_end, receive
from tests.system.world import World


@pytest.fixture
def own_world(namespace, tmp_path):
    with World(namespace, tmp_path) as made:
        yield made


def test_a_signal_ends_both_with_code_zero(own_world):
    with own_world.inside():
        made, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["echo"])
    made.close()
    assert own_world.client.stop() == 0
    assert own_world.server.stop() == 0


def test_a_signal_lets_a_running_transfer_finish(own_world):
    with own_world.inside():
        made, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["digest"])
    made.sendall(b"first")
    own_world.client.process.send_signal(signal.SIGINT)
    own_world.client.wait_for("stopping")
    made.sendall(b"second")
    made.shutdown(socket.SHUT_WR)
    assert len(receive(made, 64)) == 64
    made.close()
    assert own_world.client.process.wait(20) == 0


def test_a_second_signal_ends_it_at_once(own_world):
    with own_world.inside():
        made, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["echo"])
    own_world.client.process.send_signal(signal.SIGTERM)
    own_world.client.wait_for("stopping")
    own_world.client.process.send_signal(signal.SIGTERM)
    own_world.client.wait_for("ending at once")
    assert own_world.client.process.wait(20) == 0
    with pytest.raises(ConnectionResetError):
        made.recv(1)
    made.close()


def test_a_client_that_stops_while_its_server_is_gone_resets_what_is_unfinished(own_world):
    with own_world.inside():
        made, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["source"])
    made.sendall(b"1000000000\n")
    receive(made, 1_000_000)
    own_world.server.process.kill()
    own_world.client.process.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionResetError):
        read_to_end(made)
    made.close()


def test_the_limit_of_open_files_is_in_the_log(own_world):
    for program in (own_world.server, own_world.client):
        program.stop()
        logged = [json.loads(line) for line in program.lines]
        (entry,) = [entry for entry in logged if entry["event"] == "limit of open files"]
        assert entry["level"] == "info"


def test_a_killed_client_never_makes_a_truncated_transfer_look_complete(own_world):
    with own_world.inside():
        made, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["source"])
    made.sendall(b"1000000000\n")
    receive(made, 1_000_000)
    own_world.client.process.kill()
    with pytest.raises(ConnectionResetError):
        read_to_end(made)
    made.close()


def test_a_killed_server_never_makes_a_truncated_upload_look_complete(own_world):
    with own_world.inside():
        target = socket.create_server(("127.0.0.1", 0))
        made, _ = connect(own_world.proxy, "127.0.0.1", target.getsockname()[1])
    taken, _ = target.accept()
    made.sendall(b"the first half")
    receive(taken, 14)
    own_world.server.process.kill()
    with pytest.raises(ConnectionResetError):
        taken.recv(1)
    for one in (made, taken, target):
        one.close()


@pytest.mark.slow
def test_a_running_client_finds_a_restarted_server_by_itself_and_resets_what_that_does_not_know(own_world):
    with own_world.inside():
        unfinished, _ = connect(own_world.proxy, "127.0.0.1", own_world.ports["source"])
    unfinished.sendall(b"1000000000\n")
    receive(unfinished, 1_000_000)
    own_world.server.process.kill()
    own_world.server.process.wait()
    with own_world.start("server", "server.conf") as server:
        server.wait_for("server is ready")
        outcome = []

        def go():
            with own_world.inside():
                outcome.append(connect(own_world.proxy, "127.0.0.1", own_world.ports["echo"], timeout=40)[1])

        while not outcome or outcome[-1] != 0:
            thread = threading.Thread(target=go)
            thread.start()
            thread.join()
        unfinished.sendall(b"more")  # what the new server has never heard of, it answers by a reset
        with pytest.raises(ConnectionResetError):
            read_to_end(unfinished)
        unfinished.close()


def test_without_standard_streams_it_serves_and_ends_in_order(own_world):
    own_world.client.stop()
    command = f'exec ip netns exec {own_world.namespace} "$0" -m awgproxy client "$1" <&- >&- 2>&-'
    client = subprocess.Popen(["/bin/sh", "-c", command, sys.executable, own_world.folder / "client.conf"])
    try:
        own_world.server.wait_for("peer moved")
        with own_world.inside():
            made, reply = connect(own_world.proxy, "127.0.0.1", own_world.ports["echo"])
        assert reply == 0
        made.close()
        client.terminate()
        assert client.wait(20) == 0
    finally:
        client.kill()
        client.wait()


@pytest.mark.parametrize("command", ["server", "client"])
def test_a_port_in_use_is_one_clear_line(own_world, command):
    with own_world.start(command, f"{command}.conf") as second:
        assert second.process.wait(20) != 0
        second._reader.join()
        text = "\n".join(second.lines)
    assert "in use" in text
    assert "Traceback" not in text
