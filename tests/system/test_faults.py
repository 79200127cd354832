"""What may go wrong around the programs: disks, permissions, kernels without IPv6, crashes at the worst moment."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from interop.counterparts import conversation, namespaces, socks
from tests.required import require
from tests.system.world import SERVER_PORT, World, with_targets

PATIENCE = 45


@pytest.fixture
def own_world(namespace, tmp_path):
    with World(namespace, tmp_path) as made:
        yield made


def echo(world):
    with world.connect("echo") as made:
        made.sendall(b"hello")
        assert socks.take(made, 5) == b"hello"


def test_a_full_disk_for_its_log_stops_nothing(own_world):
    with own_world.client_in_a_shell("--log-level debug 2>/dev/full"):
        for _ in range(20):
            echo(own_world)


def test_both_ends_killed_under_load_and_restarted_at_once_are_back_and_nothing_looks_complete(own_world):
    unfinished = own_world.connect("source")
    unfinished.sendall(b"1000000000\n")
    socks.take(unfinished, 1_000_000)
    for end in (own_world.server, own_world.client):
        end.send(signal.SIGKILL)
    for end in (own_world.server, own_world.client):
        end.wait()
    with own_world.start("server", "server.conf") as server, own_world.start("client", "client.conf") as client:
        server.wait_for("server is ready")
        client.wait_for("tunnel up", within=PATIENCE)
        with pytest.raises(ConnectionResetError):
            socks.take_all(unfinished)
        unfinished.close()
        conversation.eventually(lambda: echo(own_world), within=PATIENCE)


class TwoClients(World):
    """Two peers of one server, the second at a SOCKS5 port of its own."""

    second_proxy = ("127.0.0.1", 1081)

    def write_pair(self):
        arguments = ["--endpoint", f"127.0.0.1:{SERVER_PORT}", "--peers", "2", "--directory", self.folder]
        subprocess.run([sys.executable, "-m", "awgproxy", "new", *arguments], check=True, capture_output=True)
        server = self.folder / "server.conf"
        server.write_text(with_targets(server.read_text()))
        (self.folder / "client1.conf").rename(self.folder / "client.conf")
        with (self.folder / "client2.conf").open("a") as file:
            file.write(f"\n[Socks5]\nBindAddress = 127.0.0.1:{self.second_proxy[1]}\n")


def test_a_peer_that_floods_new_flows_harms_nobody_but_itself(namespace, tmp_path):
    with TwoClients(namespace, tmp_path) as world, world.start("client", "client2.conf") as flooder:
        flooder.wait_for("tunnel up")
        flood = []
        try:
            for number in range(1500):
                with world.inside():
                    flood.append(socket.create_connection(world.second_proxy))
                flood[-1].sendall(socks.opening((f"203.0.113.{number % 200 + 1}", 80)))
            flooder.wait_for("connection requested", where=lambda entry: entry["flow"] >= len(flood))
            for _ in range(5):
                echo(world)
        finally:
            for application in flood:
                application.close()
        assert world.server.stop() == 0
        (counters,) = world.server.said("counters")
        turned_away = ("stack_tcp_half_open_full", "carrier_flows_full")
        assert sum(counters.get(name, 0) for name in turned_away) > 0


class Powerless(World):
    """Ends that may do nothing that not everybody may."""

    behind = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")


@pytest.mark.parametrize(
    ("command", "key", "message"),
    [
        ("server", "ListenPort = 443", "443 is not allowed for this user: choose a ListenPort of 1024 or above"),
        ("server", "FwMark = 5", "FwMark 0x5 cannot be set"),
        ("client", "BindAddress = 127.0.0.1:443", "TCP port 443 on 127.0.0.1 is not permitted for this user"),
    ],
)
def test_what_is_not_permitted_is_one_clear_line(namespace, tmp_path, command, key, message):
    require(shutil.which("setpriv"), "setpriv is not installed (util-linux)")
    powerless = Powerless(namespace, tmp_path)
    powerless.write_pair()
    file = tmp_path / f"{command}.conf"
    others = [line for line in file.read_text().splitlines() if line.split(" ")[0] != key.split(" ")[0]]
    if command == "client":
        others += ["[Socks5]", key]
    else:
        others.insert(others.index("[Interface]") + 1, key)
    file.write_text("\n".join(others))
    with powerless.start(command, f"{command}.conf") as refused:
        assert refused.wait() == 1
        text = refused.report("it may not")
    assert message in text
    assert "Traceback" not in text


def test_a_configuration_that_may_not_be_read_is_one_clear_line(namespace, tmp_path):
    require(shutil.which("setpriv"), "setpriv is not installed (util-linux)")
    powerless = Powerless(namespace, tmp_path)
    powerless.write_pair()
    os.chown(tmp_path / "client.conf", 12345, 12345)
    with powerless.start("client", "client.conf") as refused:
        assert refused.wait() == 2
        text = refused.report("it may not read")
    assert "client.conf: cannot be read: permission denied" in text
    assert "Traceback" not in text


class WithoutIpv6(World):
    """A network without IPv6, and a kernel that has none either."""

    ipv6 = False
    behind = (sys.executable, str(Path(__file__).with_name("without_ipv6.py")))


def test_without_ipv6_everything_else_works(network_namespaces, tmp_path):
    with namespaces.namespace() as network:
        network.set("net.ipv6.conf.all.disable_ipv6", "1")
        with WithoutIpv6(network, tmp_path) as world:
            echo(world)
            made, reply = world.ask("target.test", world.ports["echo"])  # which has an IPv6 address as well
            assert reply == 0
            made.sendall(b"hello")
            assert socks.take(made, 5) == b"hello"
            made.close()
            made, reply = world.ask("2001:db8::1", 80)
            assert reply != 0
            made.close()
            for end in (world.client, world.server):
                assert end.stop() == 0
