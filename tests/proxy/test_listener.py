"""The listener, over real sockets on loopback."""

import asyncio
import errno
import ipaddress
import socket

import pytest
import socks

from awgproxy.errors import ListenError
from awgproxy.proxy import accepting, attempts, negotiating
from awgproxy.proxy import listener as listener_module
from awgproxy.proxy.fronts import socks5_port
from awgproxy.proxy.listener import Listener
from awgproxy.proxy.socks5 import Reply
from awgproxy.proxy.users import Users
from tests.proxy.test_socks5 import IPV4_REQUEST, LOGIN, NO_AUTH

WITH_LOGIN = b"\x05\x01\x02" + LOGIN
WRONG_LOGIN = WITH_LOGIN[:-1] + b"x"


def listening(connect, users=(), host="127.0.0.1", port=0):
    known = Users(users)
    front_of = socks5_port(authenticate=len(known) > 0, http=False)
    return Listener(host, port, front_of, known, connect=connect, associate=connect)


@pytest.fixture
async def requests():
    return asyncio.Queue()


@pytest.fixture
async def listener(requests):
    made = listening(requests.put_nowait)
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
    assert accepted.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
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


@pytest.fixture
async def guarded(requests, monkeypatch):
    """A listener with a user, whose answers to wrong passwords are late by hundredths of a second."""
    monkeypatch.setattr(attempts, "LONGEST_DELAY", 0.02)
    made = listening(requests.put_nowait, [("user", "secret")])
    made.start()
    yield made
    made.stop()


async def test_a_wrong_password_is_counted_answered_and_closed(guarded):
    reader, writer = await connect(guarded)
    writer.write(WRONG_LOGIN)
    assert await reader.read() == b"\x05\x02\x01\x01"
    assert (guarded.refused, guarded.mistakes) == (1, 1)
    writer.close()


async def test_the_answer_to_a_wrong_password_is_held_back_and_others_are_not(guarded, requests, monkeypatch):
    failed = asyncio.Event()
    monkeypatch.setattr(attempts, "_delay", lambda _: failed.set() or 3600.0)
    reader, writer = await connect(guarded)
    writer.write(WRONG_LOGIN)
    assert await reader.readexactly(2) == b"\x05\x02"
    await failed.wait()
    other_reader, other = await connect(guarded)
    other.write(WITH_LOGIN + IPV4_REQUEST)
    (await requests.get()).socket.close()
    assert await other_reader.read() == b"\x05\x02\x01\x00"
    assert not reader.at_eof()
    assert guarded._gate.held == 1
    guarded.stop()
    assert guarded._gate.held == 0
    assert await reader.read() == b""
    writer.close()
    other.close()


async def test_after_some_mistakes_a_right_password_waits_its_turn_and_is_taken(guarded, requests):
    for _ in range(attempts.FREE_MISTAKES + 1):
        reader, writer = await connect(guarded)
        writer.write(WRONG_LOGIN)
        assert await reader.read() == b"\x05\x02\x01\x01"
        writer.close()
    _, writer = await connect(guarded)
    writer.write(WITH_LOGIN + IPV4_REQUEST)
    assert (await requests.get()).destination.host == "1.2.3.4"
    writer.close()


async def test_whoever_would_wait_too_long_is_not_looked_at(guarded, requests, monkeypatch):
    monkeypatch.setattr(guarded._gate.attempts, "turn", lambda *_: None)
    reader, writer = await connect(guarded)
    writer.write(WITH_LOGIN + IPV4_REQUEST)
    assert await reader.read() == b"\x05\x02"
    assert guarded.refused == 1
    assert requests.empty()
    writer.close()


async def test_another_programs_password(guarded, requests):
    def application():
        with socks.socksocket() as made:
            made.set_proxy(socks.SOCKS5, *guarded.address, username="user", password="secret")
            made.connect(("example.org", 80))
            return made.recv(10)

    connected = asyncio.get_running_loop().run_in_executor(None, application)
    asked = await requests.get()
    asked.socket.send(asked.answers.succeeded + b"hello")
    assert await connected == b"hello"
    assert asked.destination.host == "example.org"
    asked.socket.close()


async def test_no_more_answers_are_held_than_there_is_room_for(guarded, monkeypatch):
    monkeypatch.setattr(negotiating, "MAX_HELD", 0)
    monkeypatch.setattr(attempts, "_delay", lambda _: 3600.0)
    reader, writer = await connect(guarded)
    writer.write(WRONG_LOGIN)
    assert await reader.read() == b"\x05\x02\x01\x01"
    writer.close()


async def test_a_refusal_reaches_an_application_that_sent_more(listener):
    reader, writer = await connect(listener)
    writer.write(NO_AUTH + b"\x05\x02" + IPV4_REQUEST[2:] + bytes(1000))
    assert await reader.read() == b"\x05\x00" + Reply.COMMAND_NOT_SUPPORTED.message()
    writer.close()


async def test_a_silent_application_is_cut(requests, monkeypatch):
    monkeypatch.setattr(negotiating, "NEGOTIATION_SECONDS", 0.05)
    listener = listening(requests.put_nowait)
    listener.start()
    reader, writer = await connect(listener)
    writer.write(b"\x05")
    assert await reader.read() == b""
    assert listener.refused == 1
    writer.close()
    listener.stop()


async def test_hanging_up_in_the_middle_leaves_the_place_to_others(listener, requests, monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_NEGOTIATIONS", 1)
    monkeypatch.setattr(accepting, "_RETRY_SECONDS", 0.01)
    (_, first), (_, second) = await connect(listener), await connect(listener)
    first.write(b"\x05\x01")
    second.write(NO_AUTH + IPV4_REQUEST)
    first.close()
    (await requests.get()).socket.close()
    second.close()


async def test_accepting_pauses_when_the_table_is_full_and_goes_on(requests, monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_NEGOTIATIONS", 1)
    monkeypatch.setattr(accepting, "_RETRY_SECONDS", 0.01)
    listener = listening(requests.put_nowait)
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
    monkeypatch.setattr(accepting, "_RETRY_SECONDS", 0.01)
    real = listener._accepting._socket
    refusals = [OSError(errno.EMFILE, "Too many open files")] * 3

    class Exhausted:
        def accept(self):
            if refusals:
                raise refusals.pop()
            return real.accept()

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(listener._accepting, "_socket", Exhausted())
    _, writer = await connect(listener)
    writer.write(NO_AUTH + IPV4_REQUEST)
    (await requests.get()).socket.close()
    assert not refusals
    writer.close()


@pytest.mark.parametrize(
    ("host", "reached", "kind"), [("127.0.0.1", "127.0.0.1", 1), ("::1", "::1", 4), ("::", "127.0.0.1", 1)]
)
async def test_an_association_has_a_port_for_datagrams_where_the_application_reached_us(requests, host, reached, kind):
    listener = listening(requests.put_nowait, host=host)
    listener.start()
    reader, writer = await asyncio.open_connection(reached, listener.address[1])
    writer.write(NO_AUTH + b"\x05\x03\x00\x01" + bytes(6))
    association = await requests.get()
    reply = await reader.readexactly(2 + 4 + (4 if kind == 1 else 16) + 2)
    assert reply[2:6] == bytes((5, 0, 0, kind))
    assert str(ipaddress.ip_address(reply[6:-2])) == reached
    assert (association.client, association.port) == (reached, 0)
    with socket.socket(association.datagrams.family, socket.SOCK_DGRAM) as own:
        own.sendto(b"x", (reached, int.from_bytes(reply[-2:], "big")))
        assert await asyncio.get_running_loop().sock_recv(association.datagrams, 10) == b"x"
    association.datagrams.close()
    writer.close()
    assert await asyncio.get_running_loop().sock_recv(association.control, 10) == b""
    association.control.close()
    listener.stop()


@pytest.mark.parametrize(
    ("source", "port"),
    [
        pytest.param(b"\x01\x7f\x00\x00\x01\x30\x39", 12345, id="its own address"),
        pytest.param(b"\x01\x00\x00\x00\x00\x30\x39", 12345, id="no address, a port"),
        pytest.param(b"\x01\xc0\x00\x02\x01\x30\x39", 0, id="another address"),
        pytest.param(b"\x03\x04host\x30\x39", 0, id="a name"),
        pytest.param(b"\x04" + bytes(16) + b"\x30\x39", 12345, id="no address of IPv6"),
    ],
)
async def test_a_port_for_datagrams_counts_of_the_applications_own_address(listener, requests, source, port):
    _, writer = await connect(listener)
    writer.write(NO_AUTH + b"\x05\x03\x00" + source)
    association = await requests.get()
    assert (association.client, association.port) == ("127.0.0.1", port)
    association.datagrams.close()
    association.control.close()
    writer.close()


async def test_no_port_for_datagrams_is_told(listener, requests, monkeypatch):
    def none_left(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(negotiating, "bind_beside", none_left)
    reader, writer = await connect(listener)
    writer.write(NO_AUTH + b"\x05\x03\x00\x01" + bytes(6))
    assert await reader.read() == b"\x05\x00" + Reply.GENERAL_FAILURE.message()
    assert requests.empty()
    writer.close()


async def test_a_port_in_use_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listener = listening(print, port=taken.getsockname()[1])
        with pytest.raises(ListenError, match="in use"):
            listener.start()


async def test_an_address_of_somebody_else_is_said_so():
    with pytest.raises(ListenError, match="does not have the address"):
        listening(print, host="192.0.2.1", port=1080).start()
