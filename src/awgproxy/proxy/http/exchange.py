"""One request in absolute form and its response, between an application and a connection to the target of its own.

Sans-I/O: bytes of either side come in by `handle_*` and go out by `poll_*`. Both messages are read and written anew by
h11: lengths and chunks are its own at each side, headers of one hop are dropped both ways, and the target gets one
request and no byte behind it. Chunks that come at once go on as one, however small they are. What the application sends
behind its request is left in `remainder`.

```
                     whole response                        connection to the application
 REQUESTING ────────────────────────────────▶ OVER ──┬── request whole, HTTP/1.1 ──▶ may bring the next one
     │                                               └── else ──▶ closes
     ├── no response: refused, malformed ────▶ OVER, with an answer of the proxy's
     └── half a response, then a failure ────▶ BROKEN: a reset, so that it cannot pass for whole
```

Trailers are dropped (RFC 9110, section 6.5.1 allows it), and so is Upgrade: whoever wants a WebSocket asks by CONNECT.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import h11

from awgproxy.proxy.http import pages
from awgproxy.proxy.http.head import MOST_HEAD
from awgproxy.proxy.http.request import end_to_end

if TYPE_CHECKING:
    from awgproxy.proxy.destination import Destination
    from awgproxy.proxy.http.request import Forward, Headers

CHUNKS_AT_ONCE = 1000
"""Of a request's body: as many as keep the caller from others for a moment only."""
_NO_CONTENT = 204


class State(enum.Enum):
    """Where an exchange stands; the module's picture shows the ways between."""

    REQUESTING = enum.auto()
    OVER = enum.auto()
    BROKEN = enum.auto()


class Exchange:
    """One request and one response.

    Bound: a head of the response is at most `MOST_HEAD` bytes; nothing else is kept that `poll_*` does not give, but
    what the application has sent while it `is_behind`.
    """

    __slots__ = ("_far", "_near", "_responded", "_to_application", "_to_target", "destination", "is_behind", "state")

    def __init__(self, near: h11.Connection, forward: Forward, early: bytes) -> None:
        """`near` has read the request's head; `early` is what followed that."""
        self.destination: Destination = forward.destination
        self.state = State.REQUESTING
        self._near = near
        self._far = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        self._to_target = bytearray(self._far.send(forward.rewritten) or b"")
        self._to_application = bytearray()
        self._responded = False
        self.is_behind = False
        """Whether more of what the application has sent waits to be looked at."""
        if early:
            self._near.receive_data(early)
        self._read_application()

    @property
    def request_is_whole(self) -> bool:
        """Whether the target has been given all of the request, or is not to be given more."""
        return self._near.their_state is not h11.SEND_BODY or self.state is not State.REQUESTING

    @property
    def may_go_on(self) -> bool:
        """Whether the application may ask for something else on its connection: once it is OVER."""
        near = self._near
        return self.state is State.OVER and near.our_state is h11.DONE and near.their_state is h11.DONE

    @property
    def remainder(self) -> bytes:
        """What the application sent behind its request."""
        return self._near.trailing_data[0]

    def poll_target(self) -> bytes:
        """What is to be sent to the target now."""
        data, self._to_target = self._to_target, bytearray()
        return bytes(data)

    def poll_application(self) -> bytes:
        """What is to be sent to the application now."""
        data, self._to_application = self._to_application, bytearray()
        return bytes(data)

    def handle_application(self, data: bytes) -> None:
        """Take more of the request's body; not to be called once the request is whole, or where it `is_behind`."""
        self._near.receive_data(data)
        self._read_application()

    def read_on(self) -> None:
        """Where it `is_behind`: look at more of what the application has sent."""
        self._read_application()

    def handle_target(self, data: bytes) -> None:
        """Take more of the response."""
        self._far.receive_data(data)
        self._read_target()

    def handle_target_end(self, *, in_order: bool) -> None:
        """The target's connection has ended, by itself or by a failure."""
        if in_order and self.state is State.REQUESTING:
            self._far.receive_data(b"")
            self._read_target()
        self.fail("failed")

    def fail(self, outcome: str) -> None:
        """There will be no more of a response; `outcome` is one of `pages.OUTCOMES`."""
        if self.state is State.REQUESTING:
            self._give_up(*pages.OUTCOMES[outcome])

    def _give_up(self, status: int, text: str) -> None:
        if self._responded:
            self.state = State.BROKEN
            return
        body = f"{text}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        try:
            self._respond(h11.Response(status_code=status, headers=headers, reason=pages.phrase(status)))
            self._give(h11.Data(data=body))
            self._give(h11.EndOfMessage())
        except h11.LocalProtocolError:  # the application's side had broken the rules before
            self._to_application += pages.answer(status, f"{text}\n")
        self.state = State.OVER

    def _read_application(self) -> None:
        body = bytearray()
        event = None
        try:
            for _ in range(CHUNKS_AT_ONCE):
                event = self._near.next_event()
                if not isinstance(event, h11.Data):
                    break
                body += event.data
        except h11.RemoteProtocolError:
            self.is_behind = False
            self._to_target = bytearray()
            self._give_up(400, "The request's body is malformed.")
            return
        self.is_behind = isinstance(event, h11.Data)
        if body:
            self._to_target += self._far.send(h11.Data(data=bytes(body))) or b""
        if isinstance(event, h11.EndOfMessage):
            self._to_target += self._far.send(h11.EndOfMessage()) or b""

    def _read_target(self) -> None:
        body = bytearray()
        try:
            while self.state is State.REQUESTING:
                event = self._far.next_event()
                if isinstance(event, h11.Data):
                    body += event.data
                    continue
                if body:
                    self._give(h11.Data(data=bytes(body)))
                    body = bytearray()
                if isinstance(event, h11.InformationalResponse):
                    if self._near.their_http_version == b"1.1":
                        headers = _without_length(end_to_end(event.headers))
                        self._give(h11.InformationalResponse(status_code=event.status_code, headers=headers))
                elif isinstance(event, h11.Response):
                    self._take_response(event)
                elif isinstance(event, h11.EndOfMessage):
                    self._give(h11.EndOfMessage())
                    self.state = State.OVER
                else:
                    return
        except h11.RemoteProtocolError:
            if body:
                self._give(h11.Data(data=bytes(body)))
            self._give_up(502, "The target's response is malformed.")

    def _take_response(self, response: h11.Response) -> None:
        if response.status_code == 407:  # a password of this proxy is nobody else's to ask for
            self._give_up(502, "The target asks for a password as if it were this proxy.")
            return
        chunked = any(name == b"transfer-encoding" for name, _ in response.headers)
        headers = end_to_end(response.headers)
        if chunked or response.status_code == _NO_CONTENT:
            headers = _without_length(headers)
        self._respond(h11.Response(status_code=response.status_code, headers=headers, reason=response.reason))

    def _respond(self, response: h11.Response) -> None:
        self._give(response)
        self._responded = True

    def _give(self, event: h11.Event) -> None:
        self._to_application += self._near.send(event) or b""


def _without_length(headers: Headers) -> Headers:
    """For what has none (RFC 9112, section 6.3): a lenient reader would take so much of the next message for it."""
    return [(name, value) for name, value in headers if name.lower() != b"content-length"]
