"""Requests in absolute form by a real listener, each to a target of its own behind an engine in memory."""

import asyncio
import contextlib
import socket

import pytest

from awgproxy.proxy import listener as listener_module
from awgproxy.proxy import negotiating
from awgproxy.proxy.fronts import http_port, socks5_port
from awgproxy.proxy.http.exchange import Exchange
from awgproxy.proxy.http.forwarding import PIECE_BYTES
from awgproxy.proxy.listener import Listener
from awgproxy.proxy.users import Users
from awgproxy.session.open_connections import OpenConnections
from tests.proxy.test_socks5 import IPV4_REQUEST, NO_AUTH

HEAD = b" HTTP/1.1\r\nHost: h\r\n"
GET = b"GET http://192.0.2.1/" + HEAD + b"\r\n"


class Tunnel:
    """Takes connections over, as the connector does; a test is the target."""

    def __init__(self):
        self.asked = asyncio.Queue()

    def connect(self, application):
        self.asked.put_nowait(application)

    async def refuse(self, outcome):
        application = await self.asked.get()
        application.socket.send(getattr(application.answers, outcome))
        application.socket.close()
        application.ended(False)
        return application

    async def accept(self):
        application = await self.asked.get()
        application.socket.send(application.answers.succeeded)
        reader, writer = await asyncio.open_connection(sock=application.socket)
        return Target(application, reader, writer)


class Target:
    def __init__(self, application, reader, writer):
        self.application, self.reader, self.writer = application, reader, writer

    async def head(self):
        return await self.reader.readuntil(b"\r\n\r\n")

    async def end(self, *, in_order=True):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        self.application.ended(in_order)


@pytest.fixture
async def tunnel():
    return Tunnel()


@pytest.fixture
async def listener(tunnel):
    made = Listener("127.0.0.1", 0, http_port(authenticate=False), Users(), connect=tunnel.connect, associate=print)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def application(listener):
    reader, writer = await asyncio.open_connection(*listener.address)
    yield reader, writer
    writer.close()


async def test_a_request_and_its_response(application, tunnel):
    reader, writer = application
    writer.write(GET)
    target = await tunnel.accept()
    assert target.application.destination.host == "192.0.2.1"
    assert await target.head() == b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nConnection: close\r\n\r\n"
    target.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert await target.reader.read() == b""
    await target.end()


async def test_requests_one_after_the_other_each_go_where_they_say(application, tunnel):
    reader, writer = application
    for host in (b"192.0.2.1", b"192.0.2.2", b"192.0.2.1"):
        writer.write(GET.replace(b"192.0.2.1", host))
        target = await tunnel.accept()
        assert target.application.destination.host.encode() == host
        await target.head()
        target.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n.")
        await reader.readuntil(b".")
        await target.end()


async def test_requests_sent_ahead_are_answered_in_order_each_by_its_target(application, tunnel):
    reader, writer = application
    writer.write(GET + GET.replace(b"192.0.2.1", b"192.0.2.2") + GET.replace(b"192.0.2.1", b"192.0.2.3"))
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        target = await tunnel.accept()
        assert target.application.destination.host == host
        await target.head()
        assert tunnel.asked.empty()
        target.writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(host)}\r\n\r\n{host}".encode())
        await reader.readuntil(host.encode())
        assert await target.reader.read() == b""
        await target.end()


async def test_a_long_body_reaches_the_target_whole_and_what_is_behind_it_does_not(application, tunnel):
    reader, writer = application
    body = bytes(range(256)) * 8192
    writer.write(b"PUT http://192.0.2.1/" + HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body + GET)
    target = await tunnel.accept()
    await target.head()
    assert await target.reader.readexactly(len(body)) == body
    target.writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201")
    assert await target.reader.read() == b""
    await target.end()
    second = await tunnel.accept()
    assert (await second.head()).startswith(b"GET / ")
    await second.end()


async def test_a_slow_application_stops_its_target_and_nobody_else(listener, application, tunnel):
    reader, writer = application
    writer.transport.pause_reading()
    writer.write(GET)
    asked = await tunnel.asked.get()
    asked.socket.send(asked.answers.succeeded + b"HTTP/1.1 200 OK\r\n\r\n")
    sent, before = 0, -1
    while sent > before:  # it stands still once nothing more went out while other requests came and went
        before = sent
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += asked.socket.send(bytes(65536))
        for _ in range(20):
            other_reader, other = await asyncio.open_connection(*listener.address)
            other.write(GET)
            await tunnel.refuse("refused")
            await other_reader.readuntil(b"\r\n\r\n")
            other.close()
    writer.transport.resume_reading()
    received = 0
    while received < sent:
        size = int((await reader.readuntil(b"\r\n")).split()[-1], 16) if received else await first_chunk(reader)
        assert not any(await reader.readexactly(size))
        await reader.readexactly(2)
        received += size
    asked.socket.close()
    asked.ended(True)
    assert (await reader.readexactly(5)) == b"0\r\n\r\n"


async def first_chunk(reader):
    await reader.readuntil(b"\r\n\r\n")
    return int(await reader.readuntil(b"\r\n"), 16)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("refused", 502),
        ("network_unreachable", 502),
        ("host_unreachable", 502),
        ("prohibited", 403),
        ("timed_out", 504),
        ("failed", 502),
    ],
)
async def test_no_connection_is_told_and_the_next_request_may_come(application, tunnel, outcome, status):
    reader, writer = application
    for _ in range(2):
        writer.write(GET)
        await tunnel.refuse(outcome)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        (length,) = [int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
        await reader.readexactly(length)


async def test_a_flood_of_tiny_chunks_leaves_others_their_turns(application, tunnel, monkeypatch):
    pieces = []
    handle = Exchange.handle_target
    monkeypatch.setattr(Exchange, "handle_target", lambda self, data: (pieces.append(len(data)), handle(self, data)))
    reader, writer = application
    writer.write(GET)
    target = await tunnel.accept()
    await target.head()
    target.writer.write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 10_000 + b"0\r\n\r\n"
    )
    body = (await reader.readuntil(b"0\r\n\r\n")).partition(b"\r\n\r\n")[2]
    assert sum(line.count(b"a") for line in body.split(b"\r\n")[1::2]) == 10_000
    assert max(pieces) <= PIECE_BYTES
    await target.end()


async def half_of_a_response(application, tunnel):
    reader, writer = application
    writer.write(GET)
    target = await tunnel.accept()
    await target.head()
    target.writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
    await reader.readuntil(b"half of it")
    return reader, target


async def test_half_a_response_ends_as_a_reset(application, tunnel):
    reader, target = await half_of_a_response(application, tunnel)
    await target.end(in_order=False)
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_a_response_that_is_given_up_ends_as_a_reset(listener, application, tunnel):
    reader, target = await half_of_a_response(application, tunnel)
    (task,) = listener._forwarding
    task.cancel()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    await target.end()


async def test_an_exchange_lasts_until_the_application_has_the_last_byte(tunnel):
    connections = OpenConnections()
    made = Listener(
        "127.0.0.1",
        0,
        http_port(authenticate=False),
        Users(),
        connect=tunnel.connect,
        associate=print,
        exchanging=connections.one,
    )
    made.start()
    reader, writer = await asyncio.open_connection(*made.address)
    writer.write(GET)
    target = await tunnel.accept()
    await target.head()
    made.stop()
    assert len(connections) == 1
    body = bytes(1 << 20)
    target.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    reading = asyncio.create_task(reader.read())
    await target.end()
    await connections.none_is_open.wait()
    assert (await reading).endswith(body)
    writer.close()


async def test_an_application_that_hangs_up_takes_its_request_back(application, tunnel):
    _, writer = application
    writer.write(GET)
    target = await tunnel.accept()
    await target.head()
    writer.close()
    assert await target.reader.read() == b""
    await target.end()


async def test_so_does_one_that_hangs_up_before_there_is_a_connection(application, tunnel):
    _, writer = application
    writer.write(GET)
    asked = await tunnel.asked.get()
    writer.close()
    reader, far = await asyncio.open_connection(sock=asked.socket)
    assert await reader.read() == b""
    far.close()


async def test_an_answer_ahead_of_the_body_reaches_the_application(application, tunnel):
    reader, writer = application
    writer.write(b"PUT http://192.0.2.1/" + HEAD + b"Content-Length: 1000000\r\n\r\nbegin")
    target = await tunnel.accept()
    await target.head()
    target.writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    writer.write(bytes(500_000))
    assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    await target.end()


async def test_a_malformed_body_is_told(application, tunnel):
    reader, writer = application
    writer.write(b"PUT http://192.0.2.1/" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    target = await tunnel.accept()
    await target.head()
    writer.write(b"nonsense\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    await target.end()


async def test_no_descriptors_left_is_told(application, tunnel, monkeypatch):
    reader, writer = application

    def none_left():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socketpair", none_left)
    writer.write(GET)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 502 ")
    assert tunnel.asked.empty()


async def test_a_stopped_listener_keeps_no_connection(listener, application, tunnel):
    reader, writer = application
    writer.write(GET)
    target = await tunnel.accept()
    await target.head()
    listener.stop()
    target.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert (await reader.read()).endswith(b"\r\n\r\nhi")
    await target.end()


async def test_an_application_that_is_idle_between_requests_is_closed_and_not_counted(
    listener, application, tunnel, monkeypatch
):
    monkeypatch.setattr(negotiating, "KEEP_ALIVE_SECONDS", 0.02)
    reader, writer = application
    writer.write(GET)
    await tunnel.refuse("refused")
    assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
    assert listener.refused == 0


async def test_connect_is_handed_on_with_its_answers(application, tunnel):
    reader, writer = application
    writer.write(b"CONNECT h.test:443" + HEAD + b"\r\nearly")
    asked = await tunnel.asked.get()
    assert (asked.destination.host, asked.destination.port, asked.early) == ("h.test", 443, b"early")
    asked.socket.send(asked.answers.succeeded)
    asked.socket.close()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")


async def test_one_port_for_both_by_the_first_byte(tunnel):
    both = Listener(
        "127.0.0.1", 0, socks5_port(authenticate=False, http=True), Users(), connect=tunnel.connect, associate=print
    )
    both.start()
    for opening in (NO_AUTH + IPV4_REQUEST, b"CONNECT 1.2.3.4:443" + HEAD + b"\r\n"):
        _, writer = await asyncio.open_connection(*both.address)
        writer.write(opening)
        asked = await tunnel.asked.get()
        assert asked.destination.host == "1.2.3.4"
        asked.socket.close()
        writer.close()
    both.stop()


async def test_http_can_be_turned_off_there(tunnel, monkeypatch):
    refusals = []
    monkeypatch.setattr(listener_module.log, "info", lambda _, reason: refusals.append(reason), raising=False)
    only = Listener(
        "127.0.0.1", 0, socks5_port(authenticate=False, http=False), Users(), connect=tunnel.connect, associate=print
    )
    only.start()
    reader, writer = await asyncio.open_connection(*only.address)
    writer.write(GET)
    assert await reader.read() == b""
    assert refusals == ["the application speaks HTTP; set it to SOCKS5"]
    writer.close()
    only.stop()
