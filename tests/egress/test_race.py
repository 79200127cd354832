"""Several addresses of one target, with real sockets on loopback."""

import asyncio
import errno
import socket

import pytest

from awgproxy.egress import race as race_module
from awgproxy.egress.direct import new_socket
from awgproxy.egress.race import NothingAnswered, race
from awgproxy.egress.source import SourceAddresses

FOR_EVER = 3600.0


@pytest.fixture
def target():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


@pytest.fixture
def closed():
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()


@pytest.fixture
async def silent(monkeypatch):
    """An address whose connections begin and go nowhere; and those that began."""
    began, kind = asyncio.Queue(), asyncio.get_running_loop().__class__
    connect = kind.sock_connect

    async def never(loop, sock, address):
        if address[0] == "127.0.0.9":
            began.put_nowait(sock)
            await asyncio.Event().wait()
        await connect(loop, sock, address)

    monkeypatch.setattr(kind, "sock_connect", never)
    return ("127.0.0.9", 9), began


async def raced(*destinations, seconds=FOR_EVER):
    outer, where = await race(destinations, SourceAddresses(), seconds)
    outer.close()
    return where


async def test_the_first_that_answers_wins(target, closed):
    assert await raced(target, closed) == target
    assert await raced(closed, target) == target


async def test_a_failure_is_not_waited_after(target, closed, monkeypatch):
    monkeypatch.setattr(race_module, "STAGGER_SECONDS", FOR_EVER)
    assert await raced(closed, closed, target) == target


async def test_silence_is_waited_for_no_longer_than_the_next_attempt(target, silent, monkeypatch):
    monkeypatch.setattr(race_module, "STAGGER_SECONDS", 0.01)
    nowhere, began = silent
    assert await raced(nowhere, target) == target
    assert began.get_nowait().fileno() == -1, "what lost is closed"


async def test_what_all_of_them_said_is_told(closed, monkeypatch):
    with pytest.raises(NothingAnswered) as caught:
        await raced(closed, closed)
    assert [error.errno for error in caught.value.errors] == [errno.ECONNREFUSED] * 2


async def test_silence_is_a_timeout_beside_what_the_others_said(closed, silent):
    nowhere, began = silent
    with pytest.raises(NothingAnswered) as caught:
        await raced(nowhere, closed, seconds=0.5)
    assert {type(error) for error in caught.value.errors} == {TimeoutError, ConnectionRefusedError}
    assert began.get_nowait().fileno() == -1


async def test_whoever_is_cancelled_leaves_no_socket(silent):
    nowhere, began = silent
    task = asyncio.create_task(raced(nowhere))
    sock = await began.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sock.fileno() == -1


async def test_a_kind_of_ip_that_is_not_there_is_a_failure_like_others(target, monkeypatch):
    def without_ipv6(destination, *arguments):
        if ":" in destination[0]:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return new_socket(destination, *arguments)

    monkeypatch.setattr(race_module, "new_socket", without_ipv6)
    assert await raced(("::1", target[1]), target) == target
