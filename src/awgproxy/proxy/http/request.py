"""What a parsed request asks for: its target in each form that there is (RFC 9112, section 3.2), and its password.

Names are not looked up here, nor is anything decided about destinations.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import h11

from awgproxy.proxy.destination import Destination, destination_of
from awgproxy.proxy.http.head import HeadRefused
from awgproxy.proxy.users import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AUTHORITY = re.compile(rb"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{0,5}))?")
_ABSOLUTE = re.compile(rb"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)")
_HTTP_PORT = 80
_OF_ONE_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
"""RFC 9110, section 7.6.1; beside them what begins with `proxy-`, and what Connection names."""
_NEVER_NAMED = frozenset({b"content-length", b"host"})
"""What Connection may name in vain: a message would get another length or target."""

Headers = list[tuple[bytes, bytes]]


class Received(Protocol):
    """Headers as h11 has them: names in lower case, and as they came."""

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Names in lower case, and values."""

    def raw_items(self) -> Headers:
        """Names as they came, and values."""


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT: a connection to be relayed as it is."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class Forward:
    """A request in absolute form, and as its target is to see it: in origin form, without what is the proxy's."""

    destination: Destination
    rewritten: h11.Request


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A request to the proxy itself; `host` is as the application reached it, checked, None where it did not say."""

    path: bytes
    host: str | None


def wish_of(request: h11.Request) -> Connect | Forward | OwnPage:
    """Read a request's target.

    Raises:
        HeadRefused: there is no such target, or not by this proxy.
    """
    headers = request.headers
    if request.method == b"CONNECT":
        if has_body(request):
            raise HeadRefused(400, "CONNECT with a body")
        return Connect(_destination(request.target, None))
    if request.method == b"TRACE":
        raise HeadRefused(405, "TRACE, which is not passed on")
    if request.target[:1] == b"/" or request.target == b"*":
        return OwnPage(request.target.partition(b"?")[0], _own_host(headers))
    found = _ABSOLUTE.fullmatch(request.target)
    if found is None:
        raise HeadRefused(400, "a target that is neither a URL nor a path")
    if found["scheme"].lower() != b"http":
        raise HeadRefused(400, "a URL that is not http: (https goes by CONNECT)")
    authority, rest = found["authority"], found["rest"]
    destination = _destination(authority, _HTTP_PORT)
    path = rest if rest[:1] == b"/" else b"/" + rest
    if request.method == b"OPTIONS" and not rest:
        path = b"*"
    kept = [(name, value) for name, value in end_to_end(headers) if name.lower() != b"host"]
    framing = [(b"Transfer-Encoding", b"chunked")] if _is_chunked(headers) else []
    rewritten = h11.Request(
        method=request.method,
        target=path,
        headers=[(b"Host", authority), *kept, *framing, (b"Connection", b"close")],
    )
    return Forward(destination, rewritten)


def credentials_of(request: h11.Request) -> Credentials | None:
    """The name and password of Proxy-Authorization (RFC 7617); None where there are none that can be read."""
    for name, value in request.headers:
        if name == b"proxy-authorization":
            scheme, _, text = value.partition(b" ")
            try:
                decoded = base64.b64decode(text.strip(b" "), validate=True)
            except binascii.Error:
                return None
            username, colon, password = decoded.partition(b":")
            return Credentials(username, password) if colon and scheme.lower() == b"basic" else None
    return None


def has_body(request: h11.Request) -> bool:
    """Whether something follows the head that belongs to the request."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in request.headers
    )


def end_to_end(headers: Received) -> Headers:
    """The headers of a message that are not between the application and the proxy alone, spelt as they came."""
    named = {option.strip().lower() for name, value in headers if name == b"connection" for option in value.split(b",")}
    dropped = _OF_ONE_HOP | (named - _NEVER_NAMED)
    return [
        (name, value)
        for name, value in headers.raw_items()
        if name.lower() not in dropped and not name.lower().startswith(b"proxy-")
    ]


def _is_chunked(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name == b"transfer-encoding" for name, _ in headers)


def _destination(authority: bytes, default_port: int | None) -> Destination:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise HeadRefused(400, "a target without a host, or with something else beside it")
    port = int(found["port"]) if found["port"] else default_port
    if port is None or not 0 < port <= 65535:
        raise HeadRefused(400, "a target without a port from 1 to 65535")
    destination = destination_of(found["host"], port)
    if destination is None:
        raise HeadRefused(400, "a target whose host is neither a name nor an address")
    return destination


def _own_host(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    host = next((value for name, value in headers if name == b"host"), b"")
    return host.decode() if _AUTHORITY.fullmatch(host) else None
