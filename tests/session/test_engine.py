"""Building an engine from a configuration: what it refuses is told at the line of the file."""

from dataclasses import replace

import pytest

from awgproxy import _native
from awgproxy.config.parse import parse
from awgproxy.config.values import PortRange
from awgproxy.errors import ConfigError, TunnelError
from awgproxy.policy import PeerPolicies
from awgproxy.session import engine as engine_module
from awgproxy.session.engine import client_engine, server_engine
from awgproxy.session.settings import peer_settings, server_settings
from tests.config.texts import (
    CLIENT,
    INTERFACE,
    OTHER_KEY,
    PEER,
    PEER_KEY,
    PRESHARED_KEY,
    SERVER,
    own_public_key,
)
from tests.memory import MemoryEngine


def refused(config, **changes):
    """The problem with a configuration whose interface was changed behind the parser's back."""
    changed = replace(config, interface=config.interface.model_copy(update=changes))
    with pytest.raises(ConfigError) as caught:
        client_engine(changed)
    (problem,) = caught.value.problems
    assert problem.file == "x.conf"
    return problem


@pytest.mark.parametrize("changes", ["MTU = 576", "MTU = 65400", "S4 = 1000\nMTU = 64455", "S4 = 64000", ""])
def test_what_the_parser_takes_the_engine_takes(changes):
    client_engine(parse(CLIENT.replace("MTU = 1280", changes), "x.conf"))


@pytest.mark.parametrize("text", ["1", "4294967295", "1-4294967295"])
def test_extremes_of_awg_3_that_the_parser_takes_the_engine_takes(text):
    times = ("RekeyAfterTime", "RekeyTimeout", "RejectAfterTime", "KeepaliveTimeout", "MaxHandshakeAttempts")
    keys = "".join(f"{key} = {text}\n" for key in (*times, "ContentPaddingAddition"))
    keys += f"HeaderProtectionKey = {PRESHARED_KEY}\nS1 = 12\nS2 = 12\nS3 = 12\nS4 = 12\nRandomTrailers = 1\n"
    peer = PEER.replace("vpn.example.org:51820", "192.0.2.1:1-65535") + f"PersistentKeepalive = {text}\n"
    for hop in ("off", "1", "1-86400", "86400"):
        client_engine(parse(INTERFACE + keys + peer + f"[Tunnel]\nPortHop = {hop}\n", "x.conf"))


def test_what_the_parser_takes_of_a_server_the_engine_takes():
    config = parse(SERVER, "x.conf")
    server_engine(config, PeerPolicies(config).common)


@pytest.mark.parametrize("workers", ["auto", "1", "64"])
def test_workers_that_the_parser_takes_the_engine_takes(workers):
    client_engine(parse(CLIENT + f"[Tunnel]\nWorkers = {workers}\n", "x.conf"))


def test_workers_that_the_engine_refuses_are_told_at_their_line():
    config = parse(CLIENT + "[Tunnel]\nWorkers = 2\n", "x.conf")
    config = replace(config, tunnel=config.tunnel.model_copy(update={"workers": 65}))
    with pytest.raises(ConfigError) as caught:
        client_engine(config)
    (problem,) = caught.value.problems
    assert (problem.line, problem.section, problem.key) == (11, "Tunnel", "Workers")
    assert "1 to 64" in problem.message


def test_every_port_and_set_of_parameters_goes_to_the_engine():
    text = SERVER.replace("ListenPort = 51820", "ListenPort = 51820, 20000-20002")
    config = parse(text + "[Obfuscation phones]\nListenPort = 4000-4001\nS4 = 5\n", "x.conf")
    server_engine(config, PeerPolicies(config).common)
    assert "listen_ports=[51820, 20000, 20001, 20002]" in repr(server_settings(config, PeerPolicies(config).common))


def test_what_a_further_set_is_refused_for_is_told_at_its_section():
    config = parse(SERVER + "[Obfuscation phones]\nListenPort = 4000\nS4 = 5\n", "x.conf")
    phones = config.further_obfuscation[0].model_copy(update={"obfuscation": (("S4", "many"),)})
    config = replace(config, further_obfuscation=(phones,))
    with pytest.raises(ConfigError) as caught:
        server_engine(config, PeerPolicies(config).common)
    (problem,) = caught.value.problems
    assert (problem.line, problem.section) == (10, "Obfuscation phones")
    assert "S4" in problem.message


def test_a_range_of_ports_and_a_last_handshake_go_to_the_engine():
    text = CLIENT.replace("vpn.example.org:51820", "192.0.2.1:20000-20100")
    for hop in ("", "[Tunnel]\nPortHop = 30-90\n"):
        (peer,) = peer_settings(parse(text + hop, "x.conf"), last_timestamps={PEER_KEY: bytes(12)})
        assert peer.endpoint == ("192.0.2.1", 20000)
        client_engine(parse(text + hop, "x.conf"))


@pytest.mark.parametrize("mtu", [70_000, 65_500, 10])
def test_an_mtu_that_the_engine_refuses(mtu):
    problem = refused(parse(CLIENT, "x.conf"), mtu=mtu)
    assert (problem.line, problem.section, problem.key) == (5, "Interface", "MTU")
    assert "range" in problem.message


def test_other_settings_that_the_engine_refuses():
    config = parse(INTERFACE + "ListenPort = 5\nFwMark = 5\nS1 = 3\n" + PEER, "x.conf")
    assert (
        refused(config, listen=(PortRange(70_000, 70_000),)).line,
        refused(config, listen=(PortRange(70_000, 70_000),)).key,
    ) == (6, "ListenPort")
    assert (refused(config, fw_mark=1 << 40).line, refused(config, fw_mark=1 << 40).key) == (7, "FwMark")
    assert (refused(config, addresses=()).line, refused(config, addresses=()).key) == (3, "Address")
    problem = refused(config, obfuscation=(("S1", "many"),))
    assert (problem.line, problem.section, problem.key) == (1, "Interface", None)
    assert "S1" in problem.message


def test_a_peer_that_the_engine_refuses():
    text = CLIENT.replace("0.0.0.0/0, ::/0", "10.9.0.0/16")
    config = parse(text + f"[Peer]\nPublicKey = {OTHER_KEY}\nAllowedIPs = 10.8.0.3/32\n", "x.conf")
    first, second = config.peers
    for key, word in ((PEER_KEY, "already"), (own_public_key(), "own")):
        with pytest.raises(ConfigError) as caught:
            client_engine(replace(config, peers=(first, second.model_copy(update={"public_key": key}))))
        (problem,) = caught.value.problems
        assert (problem.line, problem.section) == (10, "Peer")
        assert word in problem.message
        assert key not in str(problem)


def test_no_descriptor_left(monkeypatch):
    def exhausted(_):
        raise OSError(24, "cannot create the event queue: Too many open files")

    monkeypatch.setattr(engine_module, "Engine", exhausted)
    with pytest.raises(TunnelError, match="event queue: Too many"):
        client_engine(parse(CLIENT, "x.conf"))


def test_an_engine_in_memory_is_like_the_real_one():
    made = MemoryEngine()
    assert all(hasattr(made, name) for name in dir(_native.Engine) if not name.startswith("_"))
    made.close()
