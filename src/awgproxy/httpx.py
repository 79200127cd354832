"""httpx through a tunnel: `TunnelTransport`, for ``httpx.AsyncClient(transport=…)``. Needs ``awgproxy[httpx]``.

Pooling, TLS and HTTP/2 are httpcore's; here are only the way in and the errors, which are httpx's with ours as their
cause. The environment's proxies are not looked at: what goes by this transport goes by the tunnel.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from awgproxy.api.stream import FlowProtocol
from awgproxy.errors import AwgProxyError, ConnectionTimedOut

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable, Iterator

    from awgproxy.api import Tunnel

__all__ = ["TunnelBackend", "TunnelTransport"]


class TunnelTransport(httpx.AsyncBaseTransport):
    """Requests of an `httpx.AsyncClient` over a tunnel that is open, and stays so for as long as the client."""

    def __init__(
        self,
        tunnel: Tunnel,
        *,
        verify: ssl.SSLContext | bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: httpx.Limits | None = None,
        retries: int = 0,
    ) -> None:
        """`verify`, `http1`, `http2` (with the package h2), `limits`, `retries`: as of `httpx.AsyncHTTPTransport`."""
        limits = limits or httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http1=http1,
            http2=http2,
            retries=retries,
            network_backend=TunnelBackend(tunnel),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of the answer is read as it is asked for.

        Raises:
            httpx.TransportError: `ConnectError`, `ConnectTimeout` and so on; its cause is an `AwgProxyError`
                where the tunnel is to blame.
        """
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an AsyncClient has no others
        with _told_as_httpx(request):
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream, request),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        await self._pool.aclose()


class TunnelBackend(httpcore.AsyncNetworkBackend):
    """Connections of httpcore over a tunnel, for a pool of one's own."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect through the tunnel, where options of sockets and an address of this machine have no meaning.

        Raises:
            httpcore.ConnectTimeout, httpcore.ConnectError: with what failed as the cause.
        """
        del local_address, socket_options
        with _told_as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            async with asyncio.timeout(timeout):
                try:
                    return _Stream(*await self._tunnel.open_connection(host, port))
                except ValueError as error:  # what cannot be a host or a port may come from a redirect
                    raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        """Wait, before another try."""
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._read = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the interface's
        with _told_as_httpcore(httpcore.ReadTimeout, httpcore.ReadError):
            async with asyncio.timeout(timeout):
                data = await self._reader.read(max_bytes)
        self._read += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the interface's
        if not buffer:
            return
        with _told_as_httpcore(httpcore.WriteTimeout, httpcore.WriteError):
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface has it
    ) -> httpcore.AsyncNetworkStream:
        with _told_as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
            except BaseException:
                self._writer.transport.abort()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # what an idle connection must not be: it has ended, or says what nobody asked for
            protocol = self._writer.transport.get_protocol()
            assert isinstance(protocol, FlowProtocol)  # noqa: S101 - in TLS too
            return protocol.has_ended or protocol.received > self._read or self._writer.is_closing()
        return self._writer.get_extra_info(info)


class _Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, stream: Any, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_as_httpx(self._request):
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        with _told_as_httpx(self._request):
            await self._stream.aclose()


@contextlib.contextmanager
def _told_as_httpcore(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (ConnectionTimedOut, TimeoutError) as error:
        raise timed_out(str(error)) from error
    except (AwgProxyError, OSError) as error:
        raise failed(str(error)) from error


@contextlib.contextmanager
def _told_as_httpx(request: httpx.Request) -> Iterator[None]:
    """Raise what httpcore raises by its name in httpx: it has each of them."""
    try:
        yield
    except Exception as error:
        for kind in type(error).__mro__:
            told = getattr(httpx, kind.__name__, None)
            if (
                kind.__module__.startswith("httpcore")
                and isinstance(told, type)
                and issubclass(told, httpx.RequestError)
            ):
                ours = error.__context__  # the pool takes the cause away, and leaves the context
                cause = ours if isinstance(ours, AwgProxyError) else error
                raise told(str(error), request=request) from cause
        raise
