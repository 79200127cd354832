"""A request's head out of the bytes, strictly (RFC 9112): what two readers might read differently is refused.

h11 parses, and refuses white space before colons, characters that no header may have, a missing or second Host. It is
lenient where the RFC lets it be, so this looks first for what has served to smuggle requests: bare CR and LF, folded
lines, a second Content-Length, Content-Length beside Transfer-Encoding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_HEAD = 65536
"""Bytes of request line and headers together."""

_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")
_MOST_LENGTH_DIGITS = 18
_VERSIONS = (b"1.0", b"1.1")


class HeadRefused(Exception):  # noqa: N818 - a decision, not a fault
    """A head that is not to be understood; `status` is the answer's code, `why` its words, which quote nothing."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(why)


class HeadReader:
    """Collects bytes up to the end of one head.

    Bound: `MOST_HEAD` bytes without an end are refused; what follows a head is kept as it came.
    """

    __slots__ = ("_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0

    @property
    def remainder(self) -> bytes:
        """What followed the head; before there is one, what came of it."""
        return self._buffer

    def add(self, data: bytes) -> None:
        """Keep more of what follows the head."""
        self._buffer += data

    def handle_bytes(self, data: bytes) -> bytes | None:
        """Take more; gives the head, its empty line included, once it is whole.

        Raises:
            HeadRefused: it is too long, or has line ends or lines that only a lenient reader takes.
        """
        self._buffer += data
        if (empty := _EMPTY_LINES.match(self._buffer)) is not None:  # RFC 9112, section 2.2
            self._buffer = self._buffer[empty.end() :]
            self._searched = 0
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        head = self._buffer if end < 0 else self._buffer[: end + 4]
        if _BARE.search(head, max(0, self._searched - 1)):
            raise HeadRefused(400, "a line that does not end in CR LF")
        if len(head) > MOST_HEAD:
            raise HeadRefused(431, f"a head of more than {MOST_HEAD >> 10} KiB")
        self._searched = len(head)
        if end < 0:
            return None
        self._buffer = self._buffer[end + 4 :]
        return head


def parse(head: bytes) -> tuple[h11.Connection, h11.Request]:
    """The request of a whole head, and the connection that reads its body.

    Raises:
        HeadRefused: it is malformed, or its length is not beyond doubt.
    """
    lines = head.split(b"\r\n")[1:-2]
    if any(line[:1] in (b" ", b"\t") for line in lines):
        raise HeadRefused(400, "a header in several lines")
    lengths, codings = _values(lines, b"content-length"), _values(lines, b"transfer-encoding")
    if len(lengths) > 1 or any(not value.isdigit() or len(value) > _MOST_LENGTH_DIGITS for value in lengths):
        raise HeadRefused(400, "a Content-Length that is not one number")
    if lengths and codings:
        raise HeadRefused(400, "both Content-Length and Transfer-Encoding")
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise HeadRefused(501, "a Transfer-Encoding other than chunked")
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
    connection.receive_data(head)
    try:
        request = connection.next_event()
    except h11.RemoteProtocolError:
        raise HeadRefused(400, "a malformed request line or header") from None
    if not isinstance(request, h11.Request):
        raise HeadRefused(400, "a malformed request line")
    if request.http_version not in _VERSIONS:
        raise HeadRefused(505, "a version other than HTTP/1.0 and HTTP/1.1")
    if codings and request.http_version == b"1.0":
        raise HeadRefused(400, "a Transfer-Encoding, which HTTP/1.0 does not have")
    return connection, request


def _values(lines: Sequence[bytes], name: bytes) -> list[bytes]:
    """Every value of a header."""
    parts = (line.partition(b":") for line in lines)
    return [value.strip(b" \t") for key, _, value in parts if key.strip().lower() == name]
