"""What the API's tests share: a server over loopback, and how many descriptors are open."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

import awgproxy
from tests.api.pair import serving


@pytest.fixture
async def clients(tmp_path, monkeypatch):
    """The texts of two clients' configurations, whose server runs."""
    async with serving(tmp_path, monkeypatch) as (texts, _):
        yield texts


@pytest.fixture
def client(clients):
    return clients[0]


@pytest.fixture
async def tunnel(client):
    async with awgproxy.Tunnel.from_text(client) as made:
        yield made


@pytest.fixture
def listening():
    """Give a function that serves TCP connections on 127.0.0.1 by `handle(reader, writer)`, and gives the port."""
    servers = []

    @contextlib.asynccontextmanager
    async def listening(handle, **options):
        async def whole(reader, writer):
            with contextlib.suppress(OSError):
                await handle(reader, writer)
            writer.close()

        server = await asyncio.start_server(whole, "127.0.0.1", 0, **options)
        servers.append(server)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    return listening


@pytest.fixture
def descriptors():
    """Give a function that counts the descriptors of this process."""
    if sys.platform != "linux":
        pytest.skip("descriptors are counted in /proc")
    return lambda: len(list(Path("/proc/self/fd").iterdir()))
