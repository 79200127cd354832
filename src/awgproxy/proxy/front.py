"""What a listener asks of a protocol that applications speak to it: one conversation, up to the request, sans-I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from awgproxy.proxy.answers import Answers
    from awgproxy.proxy.destination import Destination
    from awgproxy.proxy.http.exchange import Exchange
    from awgproxy.proxy.users import Credentials


class Front(Protocol):
    """One application's conversation.

    After each `handle_bytes` and `judge` the caller sends what `poll_answer` gives. Then, whichever is set: where it
    `is_over`, the caller closes; where `offered` is, it calls `judge` and reads nothing before; where `request` is, the
    connection is the request's, and `remainder` its first bytes; where `source` is, it binds a socket for datagrams and
    calls `associate`; where `exchange` is, the connection is that one's.
    """

    @property
    def offered(self) -> Credentials | None:
        """Credentials that wait for a judgement."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""

    @property
    def refusal(self) -> str | None:
        """Why it is over, in words for a log, which never show what may be a secret; None where all was well."""

    @property
    def request(self) -> Destination | None:
        """Where the application wants to go."""

    @property
    def source(self) -> Destination | None:
        """Where datagrams will come from, by the application's word: it wants an association (RFC 1928, section 7)."""

    @property
    def exchange(self) -> Exchange | None:
        """A request that the proxy itself makes for the application."""

    @property
    def remainder(self) -> bytes:
        """What was read beyond the request."""

    @property
    def answers(self) -> Answers:
        """What the application is told of its request's outcome."""

    def handle_bytes(self, data: bytes) -> None:
        """Take what the application sent, in pieces of any size."""

    def judge(self, *, right: bool) -> None:
        """Say whether `offered` are a user's credentials."""

    def associate(self, bound: tuple[str, int] | None) -> None:
        """Say where datagrams of `source` are to go; None where there is no place for them."""

    def poll_answer(self) -> bytes:
        """What is to be sent now."""
