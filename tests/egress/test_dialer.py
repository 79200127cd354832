"""The dialler with real sockets on loopback."""

import errno
import socket

import pytest

from awgproxy.egress.dialer import Dialer
from tests.memory import MemoryEngine


@pytest.fixture
def engine():
    made = MemoryEngine()
    yield made
    made.close()


def test_a_connecting_socket_is_attached(engine):
    with socket.create_server(("127.0.0.1", 0)) as target:
        Dialer(engine).dial(7, target.getsockname())
        accepted, _ = target.accept()
        engine.attached[7].setblocking(True)
        engine.attached[7].sendall(b"hello")
        assert accepted.recv(5) == b"hello"
        accepted.close()
    assert not engine.rejected


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.ENETUNREACH, "network-unreachable"),
        (errno.EHOSTUNREACH, "host-unreachable"),
        (errno.EPERM, "prohibited"),
        (errno.ETIMEDOUT, "timed-out"),
    ],
)
def test_an_immediate_failure_is_rejected_truthfully(engine, monkeypatch, code, reason):
    def fail(*_):
        raise OSError(code, "connect")

    monkeypatch.setattr(socket.socket, "connect", fail)
    Dialer(engine).dial(1, ("127.0.0.1", 1))
    assert engine.rejected == {1: reason}
    assert not engine.attached


def test_no_descriptor_left_is_a_rejection(engine, monkeypatch):
    def exhausted(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", exhausted)
    Dialer(engine).dial(1, ("127.0.0.1", 1))
    assert engine.rejected == {1: "failed"}


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_datagram_source_has_one_bound_socket_of_its_family(engine, ipv6):
    Dialer(engine).open_datagrams(3, ipv6=ipv6)
    outer = engine.attached[3]
    assert outer.family == (socket.AF_INET6 if ipv6 else socket.AF_INET)
    assert outer.getsockname()[1] != 0


def test_connected_datagrams_talk_to_one_address(engine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        Dialer(engine).connect_datagrams(4, server.getsockname())
        assert engine.attached[4].getpeername() == server.getsockname()


def test_a_socket_is_closed_when_the_engine_refuses_it(monkeypatch):
    class Refusing(MemoryEngine):
        def attach(self, flow, fd):
            self.fd = fd
            raise OSError(errno.EBADF, "no such flow")

    engine = Refusing()
    Dialer(engine).open_datagrams(1, ipv6=False)
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket.socket(fileno=engine.fd)
    assert 1 in engine.rejected
