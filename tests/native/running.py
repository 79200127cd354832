"""Two engines of one process, joined over loopback: a client and a server that takes flows to anywhere."""

import asyncio
import errno
import socket
from collections import deque
from contextlib import asynccontextmanager

from awgproxy import _native
from awgproxy._native import Engine, EngineSettings, PeerSettings, Replies

PATIENCE = 20.0
"""Seconds after which a test has failed; never how long anything takes."""

CLIENT_ADDRESS, SERVER_ADDRESS = "10.8.0.2", "10.8.0.1"
CLIENT_ADDRESS_6, SERVER_ADDRESS_6 = "fd08::2", "fd08::1"

REPLIES = Replies(b"+", b"refused", b"network", b"host", b"prohibited", b"timeout", b"failed")
TARGET, TARGET_6 = ("192.0.2.7", 4711), ("2001:db8::7", 4711)
CARRIER = (SERVER_ADDRESS, 51443)
OBFUSCATION = [("Jc", "3"), ("Jmin", "20"), ("Jmax", "60"), ("S1", "15"), ("S4", "16"), ("H4", "70000-90000")]


def settings(**changes) -> EngineSettings:
    """Settings of an engine alone, on loopback."""
    usual = {
        "private_key": _native.generate_private_key(),
        "addresses": [SERVER_ADDRESS],
        "listen_address": "127.0.0.1",
    }
    return EngineSettings(**(usual | changes))


class Running:
    """A started engine and its events, as they come."""

    def __init__(self, settings: EngineSettings) -> None:
        self.engine = Engine(settings)
        self.engine.start()
        self.events: deque[object] = deque()
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.engine.event_fd(), self.take)

    def take(self) -> None:
        self.events.extend(self.engine.take_events())
        self._news.set()

    async def next(self, kind, flow: int | None = None):
        """Wait for an event of `kind`, and of `flow` if given; others keep their places."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and (flow is None or event.flow == flow):
                        self.events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self.engine.event_fd())
        self.engine.stop()
        self.take()


@asynccontextmanager
async def tunnel(
    udp: str = "auto", *, listen: str = "127.0.0.1", client_accepts=False, carrier: str = "ip", **server_changes
):
    """A client and a server that know each other; gives (client, server), both `Running`.

    The server has a carrier at `CARRIER`, where the client wants one.
    """
    client_key, server_key = _native.generate_private_key(), _native.generate_private_key()
    preshared = _native.generate_preshared_key()
    of_client = PeerSettings(
        _native.public_key(client_key), preshared, None, [f"{CLIENT_ADDRESS}/32", f"{CLIENT_ADDRESS_6}/128"]
    )
    server = Running(
        EngineSettings(
            server_key,
            addresses=[SERVER_ADDRESS, SERVER_ADDRESS_6],
            peers=[of_client],
            obfuscation=OBFUSCATION,
            listen_address=listen,
            accept_flows=True,
            udp=udp,
            carrier_port=CARRIER[1],
            **server_changes,
        )
    )
    try:
        endpoint = (listen, server.engine.local_port())
        of_server = PeerSettings(
            _native.public_key(server_key), preshared, endpoint, ["0.0.0.0/0", "::/0"], carrier_address=CARRIER
        )
        client = Running(
            EngineSettings(
                client_key,
                addresses=[CLIENT_ADDRESS, CLIENT_ADDRESS_6],
                peers=[of_server],
                obfuscation=OBFUSCATION,
                listen_address=listen,
                accept_flows=client_accepts,
                udp=udp,
                carrier=carrier,
            )
        )
        try:
            yield client, server
        finally:
            client.stop()
    finally:
        server.stop()


def application() -> tuple[socket.socket, socket.socket]:
    """A connected pair: the application's end, without blocking, and the end to hand over."""
    ours, handed = socket.socketpair()
    ours.setblocking(False)
    return ours, handed


def begin_connect(address: tuple[str, int]) -> socket.socket:
    """A TCP socket whose connect is under way."""
    outer = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    outer.setblocking(False)
    assert outer.connect_ex(address) in (0, errno.EINPROGRESS)
    return outer


async def receive_exactly(stream: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(received) < count:
            chunk = await loop.sock_recv(stream, count - len(received))
            assert chunk, f"the stream ended after {len(received)} of {count} bytes"
            received += chunk
    return bytes(received)


async def receive_all(stream: socket.socket) -> bytes:
    """Everything until the other side is done; a reset counts as that too."""
    loop = asyncio.get_running_loop()
    received = bytearray()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                chunk = await loop.sock_recv(stream, 1 << 16)
            except ConnectionResetError:
                return bytes(received)
            if not chunk:
                return bytes(received)
            received += chunk
