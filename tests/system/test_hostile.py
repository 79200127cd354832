"""What others may do to a server and a client that run: floods, silence, replays, starvation of descriptors."""

import os
import random
import resource
import signal
import socket
import threading
from pathlib import Path

import pytest

from interop.counterparts import socks
from tests.system.world import SERVER_PORT

REFUSED_PORT = 9


def echo(world):
    """Whether a connection works; raises where it does not."""
    with world.connect("echo") as made:
        made.sendall(b"hello")
        assert socks.take(made, 5) == b"hello"


def udp_port(world, process):
    """The port of the process's tunnel."""
    listed = world.namespace.run(["ss", "-Hulnp"])
    (line,) = (line for line in listed.splitlines() if f"pid={process.pid}," in line)
    return int(line.split()[3].rpartition(":")[2])


def descriptors(process):
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


@pytest.mark.parametrize("end", ["server", "client"])
def test_garbage_at_the_tunnel_port_harms_nobody(world, end):
    process = getattr(world, end)
    port = SERVER_PORT if end == "server" else udp_port(world, process)
    dice = random.Random(1)
    sizes = [0, 1, 2, 31, 32, 64, 92, 148, 178, 1400, 65507]
    with world.inside():
        attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with attacker:
        for _ in range(3000):
            attacker.sendto(dice.randbytes(dice.choice(sizes)), ("127.0.0.1", port))
    echo(world)
    assert process.running


def test_garbage_at_the_socks_port_harms_nobody(world):
    before = descriptors(world.client)
    dice = random.Random(2)
    openings = [
        b"",
        b"\x05",
        b"\x05\xff" + bytes(255),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x05\x01\x00" + dice.randbytes(300),
        b"\x05\x01\x00\x05\x01\x00\x03\xff" + dice.randbytes(257),
        b"\x05\x01\x00\x05\x01\x00\x03\x04\\9.a\x00\x50",
    ]
    for number in range(300):
        with world.inside():
            application = socket.create_connection(world.proxy)
        with application:
            application.sendall(openings[number % len(openings)])
    echo(world)
    while descriptors(world.client) > before:
        echo(world)


def test_applications_that_hang_up_at_once_leave_nothing(world):
    before = {end: descriptors(getattr(world, end)) for end in ("client", "server")}
    for _ in range(1000):
        with world.inside():
            application = socket.create_connection(world.proxy)
        application.sendall(socks.opening(("127.0.0.1", world.ports["echo"])))
        application.close()
    for end, count in before.items():
        while descriptors(getattr(world, end)) > count:
            echo(world)


def test_a_thousand_applications_that_say_nothing_keep_nobody_waiting(world):
    before = descriptors(world.client)
    with world.inside():
        silent = [socket.create_connection(world.proxy) for _ in range(1000)]
    world.client.wait_until(lambda: descriptors(world.client) >= 1000, "aware of all of them")
    echo(world)
    for application in silent:
        application.close()
    while descriptors(world.client) > before:
        echo(world)


def test_targets_that_never_answer_keep_nobody_else_waiting(world):
    waiting = []
    for number in range(300):
        with world.inside():
            waiting.append(socket.create_connection(world.proxy))
        waiting[-1].sendall(socks.opening((f"203.0.113.{number % 200 + 1}", 80)))
    echo(world)
    for application in waiting:
        application.close()


def test_a_refused_application_that_goes_on_writing_does_not_hold_up_others(world):
    with world.inside():
        application = socket.create_connection(world.proxy)
    done = threading.Event()

    def write():
        try:
            while not done.is_set():
                application.send(bytes(1 << 20))
        except OSError:
            done.set()  # it was shown the door

    application.sendall(socks.opening(("127.0.0.1", REFUSED_PORT)))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            echo(world)
        assert done.wait(20)
    finally:
        done.set()
        application.close()
        writer.join()


@pytest.mark.parametrize("end", ["server", "client"])
def test_without_descriptors_it_refuses_and_goes_on_when_there_are_some_again(world, end):
    process = getattr(world, end)
    limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    standing = world.connect("echo")
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (descriptors(process) + 4, limits[1]))
    applications = []
    try:
        for _ in range(50):
            with world.inside():
                applications.append(socket.create_connection(world.proxy))
            applications[-1].sendall(socks.opening(("127.0.0.1", world.ports["echo"])))
        process.wait_for(
            "no file descriptor left for a connection" if end == "server" else "cannot accept applications for now"
        )
        standing.sendall(b"still here")
        assert socks.take(standing, 10) == b"still here"
    finally:
        standing.close()
        for application in applications:
            application.close()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
    echo(world)


def test_a_stopped_server_is_waited_for(world):
    made = world.connect("echo")
    world.server.send(signal.SIGSTOP)
    os.waitpid(world.server.pid, os.WUNTRACED)  # until every thread of it stands still
    made.sendall(b"while it sleeps")
    world.server.send(signal.SIGCONT)
    assert socks.take(made, 15) == b"while it sleeps"
    made.close()
