"""A server and the configuration of its client, in this process and over loopback."""

import asyncio
import contextlib
import dataclasses
import gc

from awgproxy import _native
from awgproxy.config import Role, parse
from awgproxy.session import server

SERVER_ADDRESS, CLIENT_ADDRESSES = "10.8.0.1", ("10.8.0.2", "10.8.0.3")


async def until(condition):
    """Wait for what nobody tells of."""
    while not condition():
        gc.collect()  # an engine has its last three descriptors until it is collected
        await asyncio.sleep(0.001)


def texts():
    """A server's and its two clients', which dial `PORT`."""
    key, *keys = (_native.generate_private_key() for _ in range(1 + len(CLIENT_ADDRESSES)))
    serving = f"""\
[Interface]
PrivateKey = {key}
Address = {SERVER_ADDRESS}/24
ListenPort = 51820
MTU = 1280
[Server]
Allow = 127.0.0.1
"""
    using = []
    for own, address in zip(keys, CLIENT_ADDRESSES, strict=True):
        serving += f"""\
[Peer]
PublicKey = {_native.public_key(own)}
AllowedIPs = {address}/32
"""
        using.append(f"""\
[Interface]
PrivateKey = {own}
Address = {address}/32
DNS = {SERVER_ADDRESS}
MTU = 1280
[Peer]
PublicKey = {_native.public_key(key)}
AllowedIPs = 0.0.0.0/0
Endpoint = 127.0.0.1:PORT
""")
    return serving, using


@contextlib.asynccontextmanager
async def serving(folder, monkeypatch):
    """Run a server at a free port; gives the texts of its clients' configurations, and its engine."""
    engines = []

    def made(*settings):
        engines.append(server_engine(*settings))
        return engines[-1]

    server_engine = server.server_engine
    monkeypatch.setattr(server, "server_engine", made)
    monkeypatch.setattr(server, "log_uncaught", lambda: None)  # a defect is to fail the test
    theirs, ours = texts()
    config = parse(theirs, str(folder / "server.conf"), Role.SERVER)
    anywhere = config.interface.model_copy(update={"listen": ()})
    task = asyncio.create_task(server.run(dataclasses.replace(config, interface=anywhere)))
    try:
        await until(lambda: engines or task.done())
        yield [text.replace("PORT", str(engines[0].local_port())) for text in ours], engines[0]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
