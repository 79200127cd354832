"""A client's tunnel inside a Python program: opened, used, closed, as often as the program likes.

It touches no signal, opens no port but the tunnel's own UDP one, and prints nothing; several may be open at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl as tls
from typing import TYPE_CHECKING, Self

from awgproxy.api.datagrams import Datagrams
from awgproxy.api.stream import FlowProtocol
from awgproxy.config import Config, Role, load, parse
from awgproxy.config.values import LAST_PORT, host_name
from awgproxy.errors import ConnectionLost, TunnelClosed, TunnelDown
from awgproxy.observe.embedded import log_to_logging
from awgproxy.proxy.destination import Destination
from awgproxy.session.engine import client_engine
from awgproxy.session.lifetime import DRAIN_SECONDS
from awgproxy.session.open_connections import OpenConnections
from awgproxy.session.tunnel import ClientTunnel

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from awgproxy.session.outbound import Flow

_LIMIT = 1 << 16
"""Bytes that a reader holds before it stops taking more, as asyncio's own default."""


class Tunnel:
    """A tunnel to a server, for ``async with``; all of its methods belong to the event loop that entered it."""

    def __init__(self, config: Config) -> None:
        """`config`: a client's; nothing is opened yet."""
        self._config = config
        self._client: ClientTunnel | None = None
        self._connections = OpenConnections()
        self._streams: set[FlowProtocol] = set()
        self._open = contextlib.ExitStack()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """The tunnel that a client's configuration file describes.

        Raises:
            ConfigError: with everything that is wrong with it.
        """
        return cls(load(path, Role.CLIENT))

    @classmethod
    def from_text(cls, text: str, name: str = "configuration") -> Self:
        """The tunnel that a configuration's text describes; `name` is what errors call it.

        Raises:
            ConfigError: with everything that is wrong with it.
        """
        return cls(parse(text, name, Role.CLIENT))

    async def __aenter__(self) -> Self:
        """`open`."""
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """`close`."""
        await self.close()

    async def open(self) -> None:
        """Start the tunnel, without waiting for a session with the server: connections wait for it.

        Raises:
            ConfigError: the engine refuses the configuration.
            TunnelError: the tunnel's own UDP port cannot be had.
            RuntimeError: it is open already.
        """
        if self._client is not None:
            raise RuntimeError("the tunnel is open already")
        log_to_logging()
        client = ClientTunnel(self._config, client_engine(self._config), self._connections)
        self._open.enter_context(client.running())
        self._client = client

    async def close(self) -> None:
        """End the tunnel. May be called again.

        Connections that this program closed get five seconds to bring out what was written to them; all others are
        reset, and whoever waits is told.
        """
        client, self._client = self._client, None
        if client is None:
            return
        try:
            kept = [stream for stream in self._streams if not stream.is_leaving]
            client.outbound.end({stream.flow for stream in self._streams if stream.is_leaving})
            for stream in kept:
                stream.abort()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._connections.none_is_open.wait(), DRAIN_SECONDS)
            if kept:
                await asyncio.wait([stream.lost for stream in kept], timeout=DRAIN_SECONDS)
        finally:
            self._open.close()

    @property
    def is_up(self) -> bool:
        """Whether a session with the server stands."""
        return self._client is not None and self._client.state.is_up

    async def wait_up(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the error says why it is down
        """Wait until a session with the server stands, `timeout` seconds at most.

        Raises:
            TunnelDown: there was none within that time; the text says why, as far as known.
            TunnelClosed: the tunnel is not open, or its engine failed.
        """
        state = self._opened().state
        try:
            async with asyncio.timeout(timeout):
                await state.wait_up()
        except TimeoutError:
            raise TunnelDown(f"the tunnel is not up after {timeout:g} s: {state.why_down}") from None

    async def resolve(self, name: str) -> list[str]:
        """The addresses of a name, asked for through the tunnel, in the order to try them.

        Raises:
            NameNotFound: there is no such name, or no address of it.
            NameLookupFailed: no DNS server is configured, or none answered.
            TunnelDown, TunnelClosed: there is no way to ask.
            ValueError: it cannot be a name.
        """
        return await self._opened().outbound.addresses_of(_destination(name, 1))

    async def open_connection(
        self,
        host: str,
        port: int,
        *,
        ssl: tls.SSLContext | bool | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        limit: int = _LIMIT,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a host by its name or address, as `asyncio.open_connection` does, through the tunnel.

        Args:
            host: An address, or a name, looked up through the tunnel; its addresses are tried as RFC 8305 says.
            port: 1 to 65535.
            ssl: A context, or True for `ssl.create_default_context()`; without it the bytes go as they are.
            server_hostname: Whose certificate is asked for; `host` where None.
            ssl_handshake_timeout: Seconds for TLS, as asyncio has it.
            limit: Bytes that the reader holds, as asyncio has it.

        Raises:
            NameNotFound, NameLookupFailed: there is no such name, or it could not be looked up.
            PolicyDenied: a rule of this end's own configuration forbids the destination.
            ConnectionFailed: the connection does not come to stand; `ConnectionRefused`, `Unreachable`, `Prohibited`,
                `ConnectionTimedOut`, `ConnectionLost`, `TunnelDown` and `TunnelClosed` say why.
            ssl.SSLError: TLS fails, as with asyncio.
            ValueError: `host` or `port` cannot be one.
        """
        context = tls.create_default_context() if ssl is True else ssl or None
        if context is None and (server_hostname is not None or ssl_handshake_timeout is not None):
            raise ValueError("server_hostname and ssl_handshake_timeout are for connections with ssl")
        destination = _destination(host, port)
        client = self._opened()
        flow = await client.outbound.open_stream(destination)
        try:
            return await self._streams_of(flow, context, server_hostname, ssl_handshake_timeout, limit)
        except BaseException as error:
            client.outbound.give_up(flow)
            if isinstance(error, OSError) and not isinstance(error, tls.SSLError):
                text = f"{host} port {port}: the connection ended during the TLS handshake"
                raise (flow.failure or ConnectionLost(text)) from error
            raise

    async def open_datagram(self, host: str, port: int) -> Datagrams:
        """Exchange datagrams with a host, by its name or address; of a name's addresses, an IPv4 one where it has any.

        Raises:
            NameNotFound, NameLookupFailed, PolicyDenied, TunnelDown, TunnelClosed, ValueError: as `open_connection`.
            ConnectionFailed: a bound is reached.
        """
        destination = _destination(host, port)
        outbound = self._opened().outbound
        return Datagrams(await outbound.open_datagrams(destination), outbound.give_up)

    async def _streams_of(
        self,
        flow: Flow,
        context: tls.SSLContext | None,
        server_hostname: str | None,
        handshake_timeout: float | None,
        limit: int,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=limit)
        protocol = FlowProtocol(reader, flow)
        name = None if context is None else server_hostname or flow.destination.host
        transport, _ = await loop.create_connection(
            lambda: protocol,
            sock=flow.socket,
            ssl=context,
            server_hostname=name,
            ssl_handshake_timeout=handshake_timeout,
        )
        self._streams.add(protocol)
        flow.when_over(lambda: self._streams.discard(protocol))
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    def _opened(self) -> ClientTunnel:
        if self._client is None:
            raise TunnelClosed("the tunnel is not open: use it inside `async with`")
        return self._client


def _destination(host: str, port: int) -> Destination:
    if not 1 <= port <= LAST_PORT:
        raise ValueError(f"{port} is not a port: 1 to {LAST_PORT}")
    with contextlib.suppress(ValueError):
        return Destination(str(ipaddress.ip_address(host)), port, is_name=False)
    return Destination(host_name(host), port, is_name=True)
