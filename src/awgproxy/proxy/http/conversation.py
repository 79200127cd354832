"""HTTP with an application, from the first byte of one request to what is to be done about it.

Sans-I/O, as `Front` has it: no socket, no clock, no names looked up and no password compared here.

```
 HEAD ── whole ──┬── to the proxy itself ──▶ OVER (the PAC file, or a page that explains)
   │             ├── a password is wanted ─┬─ none given ──▶ OVER (407)
   │             │                         └─ OFFERED ─┬─ wrong ──▶ OVER (407)
   │             │                                     └─ right ─┐
   │             └── none is ────────────────────────────────────┴─┬─ CONNECT ──▶ REQUESTED
   └── malformed ──▶ OVER (400, 431, 501, 505)                     └─ absolute form ──▶ FORWARDED
```

A conversation is one request. After OVER the connection closes; after FORWARDED it may begin with the next one.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from awgproxy.proxy.http import pages
from awgproxy.proxy.http.exchange import Exchange
from awgproxy.proxy.http.head import HeadReader, HeadRefused, parse
from awgproxy.proxy.http.request import Connect, Forward, OwnPage, credentials_of, wish_of
from awgproxy.proxy.strangers import describe_stranger

if TYPE_CHECKING:
    import h11

    from awgproxy.proxy.answers import Answers
    from awgproxy.proxy.destination import Destination
    from awgproxy.proxy.users import Credentials

_STRANGERS = frozenset(bytes((first,)) for first in range(0x20) if first not in b"\r\n")
"""First bytes of what is no text: SOCKS, TLS."""


class State(enum.Enum):
    """Where a conversation stands; the module's picture shows the ways between."""

    HEAD = enum.auto()
    OFFERED = enum.auto()
    REQUESTED = enum.auto()
    FORWARDED = enum.auto()
    OVER = enum.auto()


class Conversation:
    """One application's request.

    Bound: a head is at most `head.MOST_HEAD` bytes; what follows it is left in `remainder`, or is the exchange's.
    """

    __slots__ = (
        "_answer",
        "_authenticate",
        "_reader",
        "_socks5",
        "_wish",
        "exchange",
        "offered",
        "refusal",
        "request",
        "state",
    )

    def __init__(self, *, authenticate: bool = False, socks5: bool = False) -> None:
        """`authenticate`: whether a password is asked for. `socks5`: whether SOCKS5 is spoken at the same port."""
        self._authenticate = authenticate
        self._socks5 = socks5
        self._reader = HeadReader()
        self._answer = b""
        self._wish: tuple[h11.Connection, Connect | Forward] | None = None
        self.state = State.HEAD
        self.offered: Credentials | None = None
        self.refusal: str | None = None
        self.request: Destination | None = None
        self.exchange: Exchange | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do than to send the answer and to close."""
        return self.state is State.OVER

    @property
    def source(self) -> None:
        """HTTP has no datagrams here."""
        return None

    @property
    def answers(self) -> Answers:
        """The answer to CONNECT for each outcome."""
        return pages.ANSWERS

    @property
    def remainder(self) -> bytes:
        """Bytes behind CONNECT's head: the first of the connection itself."""
        return self._reader.remainder

    def handle_bytes(self, data: bytes) -> None:
        """Take what the application sent, in pieces of any size. When it is over nothing of it is kept."""
        if self.state is not State.HEAD:
            if self.state is State.OFFERED:
                self._reader.add(data)
            return
        if not self._reader.remainder and data[:1] in _STRANGERS:
            self._end(pages.refusal(400, "this is no HTTP"), describe_stranger(data[0], "HTTP"))
            return
        try:
            head = self._reader.handle_bytes(data)
            if head is not None:
                self._take(head)
        except HeadRefused as refused:
            self._end(pages.refusal(refused.status, refused.why), f"HTTP: {refused.why}")

    def judge(self, *, right: bool) -> None:
        """Say whether the credentials in `offered` are a user's; to be called in OFFERED, once."""
        self.offered = None
        if right:
            self._serve()
        else:
            self._end(pages.password_wanted(), "wrong username or password")

    def associate(self, bound: tuple[str, int] | None) -> None:
        """Never called: there is no `source`."""

    def poll_answer(self) -> bytes:
        """What is to be sent now; empty when there is nothing."""
        answer, self._answer = self._answer, b""
        return answer

    def _take(self, head: bytes) -> None:
        connection, request = parse(head)
        wish = wish_of(request)
        if isinstance(wish, OwnPage):
            self._show(request, wish)
            return
        self._wish = connection, wish
        if not self._authenticate:
            self._serve()
            return
        self.offered = credentials_of(request)
        if self.offered is None:
            self._end(pages.password_wanted(), None)
        else:
            self.state = State.OFFERED

    def _serve(self) -> None:
        assert self._wish is not None  # noqa: S101 - set before any way that leads here
        connection, wish = self._wish
        if isinstance(wish, Connect):
            self.request = wish.destination
            self.state = State.REQUESTED
        else:
            self.exchange = Exchange(connection, wish, self._reader.remainder)
            self.state = State.FORWARDED

    def _show(self, request: h11.Request, wish: OwnPage) -> None:
        if wish.path != pages.PAC_PATH:
            self._end(pages.answer(400, pages.HELP), "HTTP: a request to the proxy itself, not through it")
        elif request.method not in (b"GET", b"HEAD"):
            self._end(pages.answer(405, "GET it.\n", ("Allow", "GET, HEAD")), "HTTP: a PAC file that is not fetched")
        elif wish.host is None:
            self._end(
                pages.refusal(400, "no Host that a PAC file could name"), "HTTP: no Host in a request for /proxy.pac"
            )
        else:
            page = pages.pac(wish.host, socks5=self._socks5 and not self._authenticate)
            self._end(page if request.method == b"GET" else page[: page.index(b"\r\n\r\n") + 4], None)

    def _end(self, answer: bytes, why: str | None) -> None:
        self._answer += answer
        self.refusal = why
        self.state = State.OVER
