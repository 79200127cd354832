"""Who owns a descriptor: the engine once the call has returned, the caller if it raised."""

import errno
import os

import pytest

from awgproxy import _native
from awgproxy._native import Engine, FlowClosed, FlowIncoming, Limits, PeerSettings
from tests.native.running import PATIENCE, REPLIES, TARGET, application, receive_all, settings, tunnel


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_a_descriptor_stays_the_callers_if_the_call_raised():
    stopped, full = Engine(settings()), Engine(settings(limits=Limits(flows=1)))
    full.start()
    ours, handed = application()
    with ours, handed:
        fd = handed.fileno()
        for error, call in [
            (RuntimeError, lambda: stopped.open([TARGET], fd, b"", REPLIES)),
            (RuntimeError, lambda: stopped.attach(1, fd)),
            (ValueError, lambda: full.open([], fd, b"", REPLIES)),
            (ValueError, lambda: full.open([("no name", 80)], fd, b"", REPLIES)),
            (ValueError, lambda: full.open([("192.0.2.1", 70_000)], fd, b"", REPLIES)),
            (TypeError, lambda: full.open([TARGET], fd, "early", REPLIES)),
            (TypeError, lambda: full.open([TARGET], fd, b"", None)),
            (TypeError, lambda: full.attach("1", fd)),
        ]:
            with pytest.raises(error):
                call()
            assert is_open(fd)
        full.open_stream([TARGET])
        with pytest.raises(OSError, match="too many flows") as caught:
            full.open([TARGET], fd, b"", REPLIES)
        assert caught.value.errno == errno.ENOBUFS
        assert is_open(fd)
        handed.sendall(b"still mine")
        assert ours.recv(100) == b"still mine"
    full.stop()


def test_a_draining_engine_takes_no_descriptor():
    engine = Engine(settings())
    engine.start()
    engine.drain()
    ours, handed = application()
    with ours, handed:
        with pytest.raises(RuntimeError, match="draining"):
            engine.open([TARGET], handed.fileno(), b"", REPLIES)
        assert is_open(handed.fileno())
    engine.stop()


@pytest.mark.parametrize("fd", [-1, 1_000_000, 1 << 40])
def test_what_is_no_descriptor_is_refused(fd):
    engine = Engine(settings())
    engine.start()
    for call in (lambda: engine.open([TARGET], fd, b"", REPLIES), lambda: engine.attach(1, fd)):
        with pytest.raises(OSError, match="descriptor") as caught:
            call()
        assert caught.value.errno == errno.EBADF
    engine.stop()


async def test_a_descriptor_is_the_engines_once_the_call_returned():
    async with tunnel() as (client, server):
        ours, handed = application()
        inode = os.fstat(handed.fileno()).st_ino
        fd = handed.detach()
        client.engine.open([TARGET], fd, b"", REPLIES)
        incoming = await server.next(FlowIncoming)
        server.engine.reject(incoming.flow, "refused")
        assert await receive_all(ours) == b"refused"
        ours.close()
        client.stop()
        assert not is_open(fd) or os.fstat(fd).st_ino != inode


async def test_a_descriptor_for_a_flow_that_is_gone_is_closed():
    async with tunnel() as (_, server):
        ours, handed = application()
        server.engine.attach(99_999, handed.detach())
        assert await receive_all(ours) == b""
        ours.close()


def test_stop_closes_what_was_handed_over():
    engine = Engine(settings(peers=[PeerSettings(_native.public_key(_native.generate_private_key()))]))
    engine.start()
    ours, handed = application()
    ours.setblocking(True)
    ours.settimeout(PATIENCE)
    engine.open([TARGET], handed.detach(), b"", REPLIES)
    engine.stop()
    with ours:
        received = bytearray()
        try:
            while chunk := ours.recv(100):
                received += chunk
        except ConnectionResetError:
            pass
    assert b"+" not in received
    assert any(isinstance(event, FlowClosed) for event in engine.take_events())
