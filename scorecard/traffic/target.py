"""The far end of all connections: takes a request of the length it is told and answers with the length it is asked for.

A request: length of the rest u32, length of the answer u32 (big-endian), the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interop.counterparts.namespaces import Namespace

PORT = 443
HEAD = struct.Struct(">II")
PIECE = 64 << 10


@contextlib.asynccontextmanager
async def target(where: Namespace, address: str) -> AsyncIterator[None]:
    """Serve at the address meanwhile, in that namespace."""
    with where.entered():
        listener = socket.create_server((address, PORT), backlog=1024)
    server = await asyncio.start_server(_serve, sock=listener)
    try:
        yield
    finally:
        server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A client that ends while it is answered is nothing to tell of.
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            asked, wanted = HEAD.unpack(await reader.readexactly(HEAD.size))
            while asked:
                asked -= len(await reader.readexactly(min(asked, PIECE)))
            while wanted:
                writer.write(bytes(min(wanted, PIECE)))
                wanted -= min(wanted, PIECE)
                await writer.drain()
    writer.close()
