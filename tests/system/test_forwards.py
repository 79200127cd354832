"""Port forwards of the program as a user runs it: TCP by curl, UDP by dig, and standard streams as ssh uses them."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys

import pytest

from tests.required import require

TCP_PORT, UDP_PORT = 8022, 8053


@pytest.fixture
def alone(world):
    """The tunnel's key is for one end at a time, so the client of the other tests rests."""
    world.client.stop()
    yield
    world.start_client()


def configure(world, name, sections):
    file = world.folder / name
    text = (world.folder / "client.conf").read_text()
    file.write_text(text.partition("[Socks5]")[0] + sections)
    file.chmod(0o600)
    return file


def test_tcp_and_udp_by_local_ports(world, alone):
    require(shutil.which("curl"), "curl is not installed")
    require(shutil.which("dig"), "dig is not installed (bind9-dnsutils)")
    content = os.urandom(3_000_000)
    with world.page(content) as port:
        configure(
            world,
            "forwards.conf",
            f"[TCPClientTunnel]\nBindAddress = 127.0.0.1:{TCP_PORT}\nTarget = four.test:{port}\n"
            f"[UDPProxyTunnel]\nBindAddress = 127.0.0.1:{UDP_PORT}\nTarget = 127.0.0.53:53\nInactivityTimeout = 30\n",
        )
        with world.start("client", "forwards.conf") as client:
            client.wait_for("UDP forward is ready")
            client.wait_for("tunnel up")
            url = f"http://127.0.0.1:{TCP_PORT}/file"
            command = [*world.namespace.inside, "curl", "--silent", "--show-error", "--fail", "--max-time", "60", url]
            fetched = subprocess.run(command, check=True, capture_output=True).stdout
            assert hashlib.sha256(fetched).digest() == hashlib.sha256(content).digest()
            command = [*world.namespace.inside, "dig", "@127.0.0.1", "-p", str(UDP_PORT), "+short", "four.test", "A"]
            assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "127.0.0.1\n"
            with world.inside(), pytest.raises(ConnectionRefusedError):
                socket.create_connection(world.proxy)


def standard_streams(world, target, **options):
    file = configure(world, "stdio.conf", f"[STDIOTunnel]\nTarget = {target}\n")
    command = [*world.namespace.inside, sys.executable, "-m", "awgproxy", "client", "--log-level", "warning", str(file)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


def test_standard_streams_carry_one_connection_and_nothing_else(world, alone):
    content = os.urandom(5_000_000)
    carried = standard_streams(world, f"four.test:{world.ports['digest']}", input=content)
    assert (carried.returncode, carried.stderr) == (0, b"")
    assert carried.stdout.decode() == hashlib.sha256(content).hexdigest()

    # The other side ends while this one still could speak.
    reading, feeding = os.pipe()
    os.write(feeding, b"1000\n")
    carried = standard_streams(world, f"127.0.0.1:{world.ports['source']}", stdin=reading)
    assert (carried.returncode, carried.stdout) == (0, bytes(1000))
    os.close(feeding)
    os.close(reading)


def test_a_connection_that_fails_is_an_exit_code_and_a_line(world, alone):
    refused = standard_streams(world, "127.0.0.1:9", input=b"")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr == b"error: 127.0.0.1 port 9: the target refused the connection\n"

    reading, feeding = os.pipe()
    os.write(feeding, b"x")
    cut = standard_streams(world, f"127.0.0.1:{world.ports['reset']}", stdin=reading)
    assert (cut.returncode, cut.stdout) == (1, b"hello")
    assert cut.stderr.startswith(b"error: 127.0.0.1 port ")
    os.close(feeding)
    os.close(reading)
