"""The tunnel inside a program, with a real server behind it: what connections carry, and how they end and fail."""

import asyncio
import gc
import hashlib
import signal
import socket
import ssl
import struct

import pytest

import awgproxy
from awgproxy import errors
from tests.api.certificates import contexts
from tests.api.pair import until

CONTENT = bytes(range(256)) * 4096


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def digest(reader, writer):
    """Answers when the other side has ended its own."""
    writer.write(hashlib.sha256(await reader.read()).hexdigest().encode())
    await writer.drain()


async def test_bytes_go_both_ways_and_each_way_ends_by_itself(tunnel, listening):
    async with listening(digest) as port:
        reader, writer = await tunnel.open_connection("127.0.0.1", port)
        writer.write(CONTENT)
        await writer.drain()
        writer.write_eof()
        assert (await reader.read()).decode() == hashlib.sha256(CONTENT).hexdigest()
        writer.close()
        await writer.wait_closed()


async def test_a_side_that_has_ended_still_listens(tunnel, listening):
    async def ends_first(reader, writer):
        writer.write_eof()
        assert await reader.read() == CONTENT
        heard.set()

    heard = asyncio.Event()
    async with listening(ends_first) as port:
        reader, writer = await tunnel.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.write(CONTENT)
        writer.write_eof()
        await heard.wait()
        writer.close()


async def test_tls_asks_for_the_hosts_certificate(tunnel, listening, tmp_path):
    serving, using = contexts(tmp_path)
    async with listening(echo, ssl=serving) as port:
        reader, writer = await tunnel.open_connection("127.0.0.1", port, ssl=using)
        writer.write(CONTENT)
        assert await reader.readexactly(len(CONTENT)) == CONTENT
        assert writer.get_extra_info("ssl_object").server_hostname == "127.0.0.1"
        writer.close()
        reader, writer = await tunnel.open_connection("127.0.0.1", port, ssl=using, server_hostname="target.test")
        writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await tunnel.open_connection("127.0.0.1", port, ssl=True)
        with pytest.raises(ssl.SSLCertVerificationError):
            await tunnel.open_connection("127.0.0.1", port, ssl=using, server_hostname="other.test")


def reset(writer):
    taken = writer.get_extra_info("socket")
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("over_tls", [False, True])
async def test_what_was_cut_off_does_not_look_complete(tunnel, listening, tmp_path, over_tls):
    async def cut(reader, writer):
        writer.write(b"half of ")
        await writer.drain()
        await reader.readexactly(1)
        reset(writer)

    serving, using = contexts(tmp_path)
    async with listening(cut, ssl=serving if over_tls else None) as port:
        reader, writer = await tunnel.open_connection("127.0.0.1", port, ssl=using if over_tls else None)
        assert await reader.readexactly(8) == b"half of "
        writer.write(b"x")
        with pytest.raises(errors.ConnectionLost, match=f"127.0.0.1 port {port}: "):
            await reader.read()
        with pytest.raises(errors.ConnectionLost):
            await writer.drain()
        writer.close()


async def test_a_target_that_ends_during_the_handshake_is_told_as_lost(tunnel, listening):
    async def hangs_up(reader, writer):
        await reader.read(1)

    async with listening(hangs_up) as port:
        with pytest.raises(errors.ConnectionLost):
            await tunnel.open_connection("127.0.0.1", port, ssl=True)


async def test_what_does_not_come_to_stand_says_why(tunnel, listening):
    async with listening(echo) as port:
        pass
    with pytest.raises(errors.ConnectionRefused, match="the target refused") as refused:
        await tunnel.open_connection("127.0.0.1", port)
    assert isinstance(refused.value, ConnectionRefusedError)
    with pytest.raises(errors.Prohibited, match="the server's policy forbids it"):
        await tunnel.open_connection("10.1.2.3", 80)
    with pytest.raises(errors.Unreachable, match="no way to its network"):
        await tunnel.open_connection("2001:db8::1", 80)


@pytest.mark.parametrize(("host", "port"), [("", 80), ("two words", 80), ("127.0.0.1", 0), ("127.0.0.1", 65536)])
async def test_what_cannot_be_a_destination_is_refused_as_such(tunnel, host, port):
    with pytest.raises(ValueError, match="is n"):
        await tunnel.open_connection(host, port)
    with pytest.raises(ValueError, match="is n"):
        await tunnel.open_datagram(host, port)


async def test_tls_options_without_tls_are_refused(tunnel):
    with pytest.raises(ValueError, match="ssl"):
        await tunnel.open_connection("127.0.0.1", 80, server_hostname="example.org")


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data[::-1], address)


async def test_datagrams_go_and_come_back_one_by_one(tunnel):
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Echo, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    async with await tunnel.open_datagram("127.0.0.1", port) as datagrams:
        assert datagrams.remote_address == ("127.0.0.1", port)
        for sent in (b"abc", b"x" * 1200, b"y"):
            await datagrams.send(sent)
            assert await datagrams.receive() == sent[::-1]
        with pytest.raises(ValueError, match="65507"):
            await datagrams.send(bytes(65508))
        waiting = asyncio.create_task(datagrams.receive())
        await asyncio.sleep(0)
    with pytest.raises(errors.ConnectionLost, match="was closed"):
        await waiting
    with pytest.raises(errors.ConnectionLost, match="was closed"):
        await datagrams.send(b"late")
    transport.close()


async def used_and_closed(client, port):
    async with awgproxy.Tunnel.from_text(client) as tunnel:
        await tunnel.wait_up(20)
        assert tunnel.is_up
        reader, writer = await tunnel.open_connection("127.0.0.1", port)
        datagrams = await tunnel.open_datagram("127.0.0.1", port)
        waiting = [asyncio.create_task(one) for one in (reader.read(), datagrams.receive())]
        waiting.append(asyncio.create_task(tunnel.open_connection("127.0.0.1", port, ssl=True)))
        await asyncio.sleep(0)
    for one in waiting:
        with pytest.raises(errors.TunnelClosed, match="was closed"):
            await one
    with pytest.raises(errors.TunnelClosed):
        await writer.drain()
    assert not tunnel.is_up
    for late in (tunnel.open_connection("127.0.0.1", port), tunnel.open_datagram("127.0.0.1", port)):
        with pytest.raises(errors.TunnelClosed, match="not open"):
            await late


async def test_closing_tells_whoever_waits_and_keeps_no_descriptor(client, listening, descriptors):
    async with listening(echo) as port:
        await used_and_closed(client, port)
        gc.collect()
        before = descriptors()
        await used_and_closed(client, port)
        # The far ends are in this process too: those of connections go at once, that of the datagrams is kept a while.
        await until(lambda: descriptors() <= before + 1)


async def test_what_was_written_to_a_closed_connection_still_arrives(client, listening):
    async def keep(reader, writer):
        kept.set_result(await reader.read())

    kept = asyncio.get_running_loop().create_future()
    async with listening(keep) as port:
        async with awgproxy.Tunnel.from_text(client) as tunnel:
            _, writer = await tunnel.open_connection("127.0.0.1", port)
            writer.write(CONTENT)
            writer.close()
        assert await kept == CONTENT


async def test_a_connection_that_is_cancelled_leaves_nothing(tunnel, listening, descriptors):
    async def silent(reader, writer):
        await reader.read()

    async with listening(silent) as port:
        await tunnel.wait_up(20)
        gc.collect()
        before = descriptors()
        for ssl_wanted in (None, True):
            opening = asyncio.create_task(tunnel.open_connection("127.0.0.1", port, ssl=ssl_wanted))
            await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        await until(lambda: descriptors() <= before)


async def test_several_tunnels_at_once(clients, listening):
    first, second = map(awgproxy.Tunnel.from_text, clients)
    async with listening(echo) as port, first, second:
        for tunnel in (first, second):
            reader, writer = await tunnel.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()


async def test_no_signal_is_touched(client):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    async with awgproxy.Tunnel.from_text(client):
        assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
