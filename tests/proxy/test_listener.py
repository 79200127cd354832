"""The listener, over real sockets on loopback."""

import asyncio
import errno
import socket

import pytest

from awgproxy.errors import ListenError
from awgproxy.proxy import listener as listener_module
from awgproxy.proxy.listener import Listener
from awgproxy.proxy.socks5 import Credentials, Reply
from tests.proxy.test_socks5 import IPV4_REQUEST, LOGIN, NO_AUTH


@pytest.fixture
async def requests():
    return asyncio.Queue()


@pytest.fixture
async def listener(requests):
    made = Listener("127.0.0.1", 0, None, requests.put_nowait)
    made.start()
    yield made
    made.stop()


async def connect(listener):
    return await asyncio.open_connection(*listener.address)


async def test_hands_over_a_socket_with_the_request_and_the_early_bytes(listener, requests):
    reader, writer = await connect(listener)
    writer.write(NO_AUTH + IPV4_REQUEST + b"early")
    accepted = await requests.get()
    assert (accepted.destination.host, accepted.destination.port) == ("1.2.3.4", 443)
    assert accepted.early == b"early"
    accepted.socket.sendall(b"from the engine")
    assert await reader.readexactly(2) == b"\x05\x00"
    assert await reader.readexactly(15) == b"from the engine"
    accepted.socket.close()
    writer.close()


async def test_many_applications_at_once(listener, requests):
    writers = [(await connect(listener))[1] for _ in range(300)]
    for writer in writers:
        writer.write(NO_AUTH)
    for writer in writers:
        writer.write(IPV4_REQUEST)
    for _ in writers:
        (await requests.get()).socket.close()
    assert listener.accepted == 300
    for writer in writers:
        writer.close()


async def test_a_wrong_password_is_answered_and_closed(requests):
    listener = Listener("127.0.0.1", 0, Credentials(b"user", b"other"), requests.put_nowait)
    listener.start()
    reader, writer = await connect(listener)
    writer.write(b"\x05\x01\x02" + LOGIN)
    assert await reader.read() == b"\x05\x02\x01\x01"
    assert listener.refused == 1
    writer.close()
    listener.stop()


async def test_a_refusal_reaches_an_application_that_sent_more(listener):
    reader, writer = await connect(listener)
    writer.write(NO_AUTH + b"\x05\x02" + IPV4_REQUEST[2:] + bytes(1000))
    assert await reader.read() == b"\x05\x00" + Reply.COMMAND_NOT_SUPPORTED.message()
    writer.close()


async def test_a_silent_application_is_cut(requests, monkeypatch):
    monkeypatch.setattr(listener_module, "NEGOTIATION_SECONDS", 0.05)
    listener = Listener("127.0.0.1", 0, None, requests.put_nowait)
    listener.start()
    reader, writer = await connect(listener)
    writer.write(b"\x05")
    assert await reader.read() == b""
    assert listener.refused == 1
    writer.close()
    listener.stop()


async def test_hanging_up_in_the_middle_leaves_the_place_to_others(listener, requests, monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_NEGOTIATIONS", 1)
    monkeypatch.setattr(listener_module, "_ACCEPT_RETRY_SECONDS", 0.01)
    (_, first), (_, second) = await connect(listener), await connect(listener)
    first.write(b"\x05\x01")
    second.write(NO_AUTH + IPV4_REQUEST)
    first.close()
    (await requests.get()).socket.close()
    second.close()


async def test_accepting_pauses_when_the_table_is_full_and_goes_on(requests, monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_NEGOTIATIONS", 1)
    monkeypatch.setattr(listener_module, "_ACCEPT_RETRY_SECONDS", 0.01)
    listener = Listener("127.0.0.1", 0, None, requests.put_nowait)
    listener.start()
    (_, first), (_, second) = await connect(listener), await connect(listener)
    second.write(NO_AUTH + IPV4_REQUEST)
    first.write(NO_AUTH + IPV4_REQUEST)
    for _ in range(2):
        (await requests.get()).socket.close()
    first.close()
    second.close()
    listener.stop()


async def test_no_descriptors_left_pauses_and_goes_on(listener, requests, monkeypatch):
    monkeypatch.setattr(listener_module, "_ACCEPT_RETRY_SECONDS", 0.01)
    real = listener._socket
    refusals = [OSError(errno.EMFILE, "Too many open files")] * 3

    class Exhausted:
        def accept(self):
            if refusals:
                raise refusals.pop()
            return real.accept()

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(listener, "_socket", Exhausted())
    _, writer = await connect(listener)
    writer.write(NO_AUTH + IPV4_REQUEST)
    (await requests.get()).socket.close()
    assert not refusals
    writer.close()


async def test_a_port_in_use_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listener = Listener("127.0.0.1", taken.getsockname()[1], None, print)
        with pytest.raises(ListenError, match="in use"):
            listener.start()


async def test_an_address_of_somebody_else_is_said_so():
    with pytest.raises(ListenError, match="does not have the address"):
        Listener("192.0.2.1", 1080, None, print).start()
