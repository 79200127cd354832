"""An engine's life: built, started, stopped, collected."""

import errno
import gc
import sys
from pathlib import Path

import pytest

from awgproxy import _native
from awgproxy._native import Engine, PeerSettings
from tests.native.running import TARGET, settings

PRIVATE = _native.generate_private_key()
OWN = _native.public_key(PRIVATE)
OTHER = _native.public_key(_native.generate_private_key())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"addresses": []}, "address"),
        ({"mtu": 100}, "MTU"),
        ({"addresses": ["fd00::1"], "mtu": 1000}, "MTU"),
        ({"listen_ports": [51820, 0, 51820]}, "^listen_ports: .*51820.*twice"),
        ({"listen_ports": [0] * 1025}, "^listen_ports: .*1,024"),
        ({"further_obfuscation": [([], [])]}, r"^further_obfuscation\[0\] needs"),
        ({"peers": [PeerSettings(OTHER), PeerSettings(OWN)]}, r"^peers\[1\]: .*own"),
        ({"peers": [PeerSettings(OTHER), PeerSettings(OTHER)]}, r"^peers\[1\]: .*already"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_by_the_engine(changes, problem):
    with pytest.raises(ValueError, match=problem):
        Engine(settings(private_key=PRIVATE, **changes))


def test_a_second_server_on_the_port_is_an_oserror_and_may_try_again():
    first = Engine(settings())
    first.start()
    second = Engine(settings(listen_ports=[first.local_port()]))
    with pytest.raises(OSError, match="in use") as caught:
        second.start()
    assert caught.value.errno == errno.EADDRINUSE
    first.stop()
    second.start()
    second.stop()
    with pytest.raises(RuntimeError, match="started before"):
        second.start()


def test_several_ports_are_bound_in_the_order_given():
    taken = Engine(settings())
    taken.start()
    engine = Engine(settings(listen_ports=[0, 0], further_obfuscation=[([("S1", "20")], [0])]))
    with pytest.raises(RuntimeError, match="not started"):
        engine.local_ports()
    engine.start()
    ports = engine.local_ports()
    assert len(set(ports)) == 3
    assert engine.local_port() == ports[0]
    engine.stop()
    port = taken.local_port()
    again = Engine(settings(listen_ports=ports[:2], further_obfuscation=[([], [port])]))
    with pytest.raises(OSError, match=f":{port} is in use"):
        again.start()
    taken.stop()
    again.start()
    assert again.local_ports() == [*ports[:2], port]
    again.stop()


def test_a_foreign_address_is_an_oserror():
    with pytest.raises(OSError, match=r"192\.0\.2\.1") as caught:
        Engine(settings(listen_address="192.0.2.1")).start()
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_an_engine_that_did_not_start_tells_so():
    engine = Engine(settings())
    with pytest.raises(RuntimeError, match="not started"):
        engine.local_port()
    with pytest.raises(RuntimeError, match="not running"):
        engine.open_stream([TARGET])
    engine.stop()
    assert engine.take_events() == []


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed by /proc")
def test_an_engine_that_is_collected_stops():
    def threads():
        return {task.name for task in Path("/proc/self/task").iterdir()}

    before = threads()
    engine = Engine(settings())
    engine.start()
    own = threads() - before  # those of other tests may end meanwhile
    assert own
    port = engine.local_port()
    del engine
    gc.collect()
    assert not own & threads()
    again = Engine(settings(listen_ports=[port]))
    again.start()
    again.stop()
