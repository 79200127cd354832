"""What a tunnel must carry and survive, whatever its configuration and whoever is at its ends."""

from __future__ import annotations

import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from interop.counterparts import conversation, ends, socks
from interop.counterparts.relay import Relay

SMALL = 1_000_000
LARGE = 100_000_000

FOUND_AGAIN = 45
"""Seconds for a client to notice that its server began anew: 15 s after data that nothing answered, and retries."""


def data_passes(client_kind, server_kind, configuration, folder, size=SMALL):
    """Half-close, a checked download, a checked upload, and a refusal that is passed on as such."""
    with (
        _server(server_kind, configuration, folder) as server,
        _client(client_kind, configuration, server.endpoint, folder) as client,
    ):
        for services in _inside(configuration, server):
            conversation.echo(client.socks, services["echo"])
            conversation.download(client.socks, services["source"], size)
            conversation.upload(client.socks, services["digest"], size)
            with pytest.raises(socks.RefusedError) as refused:
                socks.connect(client.socks, (services["echo"][0], 1))
            assert refused.value.reply == 5


def names_pass(client_kind, server_kind, configuration, folder):
    """A name that only the tunnel's name server knows leads to the service; one that it does not know leads nowhere."""
    with (
        _server(server_kind, configuration, folder) as server,
        _client(client_kind, configuration, server.endpoint, folder) as client,
    ):
        conversation.echo(client.socks, ("any.name.test", 7))
        with pytest.raises(socks.RefusedError) as refused:
            socks.connect(client.socks, ("no.such.name.invalid", 7))
        assert refused.value.reply == 4


def client_restarts(client_kind, server_kind, configuration, folder):
    """A client that died without a word is let in again at once."""
    with _server(server_kind, configuration, folder) as server:
        for _ in range(2):
            with _client(client_kind, configuration, server.endpoint, folder) as client:
                _small_talk(client, configuration, server)
                client.process.kill()


def server_restarts(client_kind, server_kind, configuration, folder):
    """A server that died without a word, and came back at its old place, is found again."""
    port = ends.free_port(socket.SOCK_DGRAM, configuration.host)
    with contextlib.ExitStack() as running:
        with _server(server_kind, configuration, folder, port) as server:
            client = running.enter_context(_client(client_kind, configuration, server.endpoint, folder))
            _small_talk(client, configuration, server)
            server.process.kill()
        with _server(server_kind, configuration, folder, port) as server:
            conversation.eventually(lambda: _small_talk(client, configuration, server), within=FOUND_AGAIN)


def client_moves(client_kind, server_kind, configuration, folder):
    """A client found at another port, another address, and both: its connection goes on."""
    with (
        _server(server_kind, configuration, folder) as server,
        Relay((configuration.host, int(server.endpoint.rsplit(":", 1)[1]))) as relay,
        _client(client_kind, configuration, relay.endpoint, folder) as client,
        contextlib.ExitStack() as running,
    ):
        connections = [
            running.enter_context(socks.connect(client.socks, services["echo"]))
            for services in _inside(configuration, server)
        ]
        for connection in connections:
            exchange(connection)
        for change in ({"host": False}, {"port": False}, {}):
            before = relay.outside
            relay.move(**change)
            assert relay.outside != before
            for connection in connections:
                exchange(connection)
            if server_kind == "reference":
                server.process.wait_for("endpoint", where=lambda line: line["to"] == relay.outside)
        for connection in connections:
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""


def peers_at_once(count, client_kind, server_kind, configuration, folder):
    """That many clients of one server, each with a connection of its own while all others have theirs."""
    configuration = configuration.alike(clients=count)
    everybody = threading.Barrier(count)
    starting = threading.Semaphore(4)

    def one(number, server):
        with contextlib.ExitStack() as running:
            try:
                with starting:
                    client = running.enter_context(_client(client_kind, configuration, server.endpoint, folder, number))
                services = _inside(configuration, server)[0]
                with socks.connect(client.socks, services["echo"]) as connection:
                    exchange(connection, b"of client %d" % number)
                    everybody.wait(120)
                    exchange(connection, b"of client %d still" % number)
                conversation.download(client.socks, services["source"], SMALL // 10)
                conversation.upload(client.socks, services["digest"], SMALL // 10)
                everybody.wait(120)
            except BaseException:
                everybody.abort()
                raise

    with (
        _server(server_kind, configuration, folder) as server,
        ThreadPoolExecutor(count) as threads,
    ):
        failed = [done.exception() for done in [threads.submit(one, number, server) for number in range(count)]]
    # Who waited for the one that failed has nothing to tell.
    errors = [error for error in failed if error is not None]
    told = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    for error in told or errors:
        raise error


def exchange(connection, message=b"still the same connection"):
    connection.sendall(message)
    assert socks.take(connection, len(message)) == message


def _small_talk(client, configuration, server):
    for services in _inside(configuration, server):
        conversation.echo(client.socks, services["echo"])


def _inside(configuration, server):
    return [server.services[version] for version in configuration.tunnel.inner]


def _server(kind, configuration, folder, port=0):
    return ends.server(kind, configuration.tunnel, folder, configuration.host, port=port, ours=configuration.ours)


def _client(kind, configuration, endpoint, folder, number=0):
    return ends.client(kind, configuration.tunnel.at(endpoint), folder, configuration.ours, number=number)
