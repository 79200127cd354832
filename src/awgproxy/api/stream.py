"""A connection's bytes as asyncio's streams have them, with endings that tell the truth.

The engine gives one end of a pair of sockets, where a connection that failed ends as one that is complete does. So the
end is held back until the flow's own end is known, and is an error where the flow failed.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from awgproxy.errors import ConnectionLost

if TYPE_CHECKING:
    from awgproxy.session.outbound import Flow


class FlowProtocol(asyncio.StreamReaderProtocol):
    """asyncio's protocol behind a `StreamReader`, for the bytes of one flow, in TLS or bare."""

    def __init__(self, reader: asyncio.StreamReader, flow: Flow) -> None:
        super().__init__(reader)
        self.reader = reader
        self.flow = flow
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the transport has let its socket go."""
        self.received = 0
        """Bytes handed to the reader."""
        self.has_ended = False
        """Whether nothing more can come."""
        self._end_is_held = False

    def data_received(self, data: bytes) -> None:
        """Bytes for the reader."""
        self.received += len(data)
        super().data_received(data)

    def eof_received(self) -> bool | None:
        """Nothing more comes: in order, if the engine has ended this direction alone or the flow ended so."""
        self.has_ended = True
        if not self.flow.is_over and not self.flow.is_hung_up:
            return super().eof_received()
        self._end_is_held = True
        self.flow.when_over(self._tell_end)
        return not self._over_tls

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone: closed from this side, or with the flow."""
        self.has_ended = True
        self.lost.set_result(None)
        broken = isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError)
        if self._end_is_held or broken or self.flow.failure is not None:
            self.flow.when_over(lambda: self._lose(exc))
        else:
            super().connection_lost(exc)

    @property
    def is_leaving(self) -> bool:
        """Whether this side is done with the connection."""
        return self.lost.done() or self._transport is None or self._transport.is_closing()

    def abort(self) -> None:
        """Let the socket go at once; `lost` tells when that is done."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()

    @property
    def _over_tls(self) -> bool:
        transport = self._transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None

    _transport: asyncio.BaseTransport | None

    def _tell_end(self) -> None:
        if self.flow.failure is None:
            self.reader.feed_eof()
        else:
            self.reader.set_exception(self.flow.failure)

    def _lose(self, exc: Exception | None) -> None:
        if self.flow.failure is not None:
            exc = self.flow.failure
        elif exc is not None:
            lost = ConnectionLost(f"the connection ended: {exc}")
            lost.__cause__ = exc
            exc = lost
        super().connection_lost(exc)
