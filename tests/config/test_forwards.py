"""The sections of port forwards: wireproxy's keys, and what they make of a client."""

import pytest

from awgproxy.config import Endpoint, Role, parse
from awgproxy.config.lint import check
from awgproxy.errors import ConfigError
from tests.config.texts import CLIENT, SERVER

WIREPROXYS = """\
[TCPClientTunnel]
BindAddress = localhost:25565
Target = play.example.net:25565
[TCPClientTunnel]
BindAddress = [::1]:0
Target = [2001:db8::7]:80
[TCPServerTunnel]
ListenPort = 3422
Target = localhost:25545
[UDPProxyTunnel]
BindAddress = 127.0.0.1:53
Target = 192.0.2.1:53
InactivityTimeout = 30 # seconds
[STDIOTunnel]
Target = ssh.example.net:22
"""


def test_wireproxys_keys_are_read():
    config = parse(CLIENT + WIREPROXYS, "x.conf")
    assert config.role is Role.CLIENT
    first, second = config.tcp_client_tunnels
    assert (first.bind_address, first.target) == (
        Endpoint("127.0.0.1", 25565),
        Endpoint("play.example.net", 25565),
    )
    assert (second.bind_address, second.target) == (Endpoint("::1", 0), Endpoint("2001:db8::7", 80))
    (exposed,) = config.tcp_server_tunnels
    assert (exposed.listen_port, exposed.target) == (3422, Endpoint("localhost", 25545))
    (datagrams,) = config.udp_proxy_tunnels
    assert (datagrams.target, datagrams.inactivity_timeout) == (Endpoint("192.0.2.1", 53), 30)
    assert config.stdio_tunnel.target == Endpoint("ssh.example.net", 22)


@pytest.mark.parametrize(
    "section",
    [
        "[Http]\nBindAddress = 127.0.0.1:1080\n",
        "[TCPClientTunnel]\nBindAddress = 127.0.0.1:1080\nTarget = a.example:1\n",
        "[TCPServerTunnel]\nListenPort = 1080\nTarget = a.example:1\n",
        "[UDPProxyTunnel]\nBindAddress = 127.0.0.1:1080\nTarget = a.example:1\n",
        "[STDIOTunnel]\nTarget = a.example:1\n",
    ],
)
def test_socks5_is_served_where_it_is_asked_for_or_nothing_else_is(section):
    assert parse(CLIENT, "x.conf").socks5 is not None
    assert parse(CLIENT + section, "x.conf").socks5 is None
    assert parse(CLIENT + section + "[Socks5]\nBindAddress = 127.0.0.1:1081\n", "x.conf").socks5 is not None


def refused(text, role=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.conf", role)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[TCPClientTunnel]\nTarget = a.example:1\n", "[TCPClientTunnel] BindAddress: is missing"),
        ("[TCPClientTunnel]\nBindAddress = 127.0.0.1:1\n", "[TCPClientTunnel] Target: is missing; where it leads"),
        ("[TCPServerTunnel]\nTarget = a.example:1\n", "[TCPServerTunnel] ListenPort: is missing; a TCP port"),
        ("[STDIOTunnel]\nTarget = a.example\n", "is not a host and a port"),
        ("[STDIOTunnel]\nTarget = a.example:1-5\n", "is not a port"),
        ("[STDIOTunnel]\nTarget = 0.0.0.0:1\n", "is no host's address"),
        ("[STDIOTunnel]\nTarget = a.example:1\n[STDIOTunnel]\nTarget = b.example:1\n", "[STDIOTunnel]: stands twice"),
        ("[TCPServerTunnel]\nListenPort = 0\nTarget = a.example:1\n", "is not a port"),
        (
            "[TCPServerTunnel]\nListenPort = 80\nTarget = a.example:1\n" * 2,
            "[TCPServerTunnel] ListenPort: 80 is that of line",
        ),
        (
            "[UDPProxyTunnel]\nBindAddress = 127.0.0.1:1\nTarget = a.example:1\nInactivityTimeout = soon\n",
            "is not a time in seconds",
        ),
        (
            "[UDPProxyTunnel]\nBindAddress = 127.0.0.1:1080\nTarget = a.example:1\n" * 2,
            "127.0.0.1:1080 is the port of [UDPProxyTunnel] already",
        ),
        (
            "[TCPClientTunnel]\nBindAddress = 127.0.0.1:1080\nTarget = a.example:1\n[Socks5]\n",
            "127.0.0.1:1080 is the port of [Socks5] already",
        ),
        ("[UDPProxyTunnel]\nBindAddress = example.org:1\nTarget = a.example:1\n", "not an address of this machine"),
    ],
)
def test_what_cannot_be_used_says_what_would_be_right(text, told):
    assert told in refused(CLIENT + text)


@pytest.mark.parametrize("section", ["TCPClientTunnel", "TCPServerTunnel", "UDPProxyTunnel", "STDIOTunnel"])
def test_a_server_has_none(section):
    assert f"[{section}]: is for a client" in refused(SERVER + f"[{section}]\n", Role.SERVER)


def test_tcp_and_udp_may_share_a_number():
    sections = ("TCPClientTunnel", "UDPProxyTunnel")
    text = "".join(f"[{section}]\nBindAddress = 127.0.0.1:53\nTarget = a.example:1\n" for section in sections)
    assert len(parse(CLIENT + text, "x.conf").udp_proxy_tunnels) == 1


def test_a_port_for_other_machines_is_warned_of():
    text = CLIENT.replace("vpn.example.org", "192.0.2.1") + (
        "[TCPClientTunnel]\nBindAddress = 127.0.0.1:1\nTarget = a.example:1\n"
        "[TCPClientTunnel]\nBindAddress = 0.0.0.0:2\nTarget = a.example:1\n"
        "[UDPProxyTunnel]\nBindAddress = :3\nTarget = a.example:1\n"
    )
    told = [problem for problem in check(parse(text, "x.conf")) if problem.key == "BindAddress"]
    assert "0.0.0.0:3 is open" in told[1].message
    assert [problem.section for problem in told] == ["TCPClientTunnel", "UDPProxyTunnel"]
    assert all("open to other machines" in problem.message for problem in told)
