"""SOCKS5 as a server speaks it, from the first byte to the request (RFC 1928, RFC 1929).

Sans-I/O: bytes come in by `handle_bytes`, answers are taken by `poll_answer`, and the request stands in `request`
once it is whole. No socket, no clock, no names looked up and no password compared here: what was offered stands in
`offered` until `judge` says what it is worth, and what datagrams are to come from in `source` until `associate` says
where they are to go. BIND is answered that it is not supported.

```
            greeting                credentials (RFC 1929)        judge
 GREETING ─┬─ method 02 ──▶ CREDENTIALS ──▶ OFFERED ─┬─ right ──▶ REQUEST ─┬─ CONNECT ──▶ REQUESTED
     │     └─ method 00 ─────────────────────────────┼──────────────▲ │     └─ UDP ASSOCIATE ──▶ ASSOCIATING
     │                                               │                │                        │       │ associate
     └─ no method in common, not SOCKS5 ──▶ REFUSED ◀┴─ wrong         └─ malformed, BIND ──▶ REFUSED  ASSOCIATED
```

In REFUSED the caller sends what `poll_answer` gives and closes; `refusal` says why, in words for a log.
"""

from __future__ import annotations

import enum
import ipaddress

from awgproxy.proxy.answers import Answers
from awgproxy.proxy.destination import Destination, destination_of
from awgproxy.proxy.strangers import describe_stranger
from awgproxy.proxy.users import Credentials

VERSION = 5
_CREDENTIALS_VERSION = 1
_NO_AUTHENTICATION = 0x00
_USERNAME_PASSWORD = 0x02
_NO_ACCEPTABLE_METHOD = 0xFF
_CONNECT = 0x01
_IPV4 = 0x01
_DOMAIN_NAME = 0x03
_IPV6 = 0x04
_UDP_ASSOCIATE = 0x03
_COMMAND_NAMES = {0x02: "BIND"}


class Reply(enum.IntEnum):
    """The reply field of RFC 1928, section 6."""

    SUCCEEDED = 0x00
    GENERAL_FAILURE = 0x01
    NOT_ALLOWED = 0x02
    NETWORK_UNREACHABLE = 0x03
    HOST_UNREACHABLE = 0x04
    CONNECTION_REFUSED = 0x05
    TTL_EXPIRED = 0x06
    COMMAND_NOT_SUPPORTED = 0x07
    ADDRESS_TYPE_NOT_SUPPORTED = 0x08

    def message(self, host: str = "0.0.0.0", port: int = 0) -> bytes:  # noqa: S104 - says "none"
        """The whole reply, with the bound address: of a connection none, since it lies at the tunnel's other end."""
        address = ipaddress.ip_address(host)
        kind = _IPV4 if address.version == 4 else _IPV6
        return bytes((VERSION, self, 0, kind)) + address.packed + port.to_bytes(2, "big")


ANSWERS = Answers(
    succeeded=Reply.SUCCEEDED.message(),
    refused=Reply.CONNECTION_REFUSED.message(),
    network_unreachable=Reply.NETWORK_UNREACHABLE.message(),
    host_unreachable=Reply.HOST_UNREACHABLE.message(),
    prohibited=Reply.NOT_ALLOWED.message(),
    timed_out=Reply.TTL_EXPIRED.message(),
    failed=Reply.GENERAL_FAILURE.message(),
)
"""The reply for each outcome."""


class State(enum.Enum):
    """Where a negotiation stands; the module's picture shows the ways between."""

    GREETING = enum.auto()
    CREDENTIALS = enum.auto()
    OFFERED = enum.auto()
    REQUEST = enum.auto()
    REQUESTED = enum.auto()
    ASSOCIATING = enum.auto()
    ASSOCIATED = enum.auto()
    REFUSED = enum.auto()


class Negotiation:
    """One application's way to its request.

    Bound: at most 2 + 255 bytes of greeting, 3 + 510 of credentials and 4 + 257 + 2 of request are ever kept unread;
    what follows the request belongs to the connection and is left in `remainder`, at most what one call brought.
    """

    __slots__ = ("_answer", "_authenticate", "_buffer", "offered", "refusal", "request", "source", "state")

    def __init__(self, *, authenticate: bool = False) -> None:
        """`authenticate`: whether a username and a password are asked for."""
        self._authenticate = authenticate
        self._buffer = b""
        self._answer = b""
        self.state = State.GREETING
        self.offered: Credentials | None = None
        self.request: Destination | None = None
        self.source: Destination | None = None
        self.refusal: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left but to send the answer and to close."""
        return self.state is State.REFUSED

    @property
    def exchange(self) -> None:
        """SOCKS5 has none."""
        return None

    @property
    def answers(self) -> Answers:
        """The reply for each outcome."""
        return ANSWERS

    @property
    def remainder(self) -> bytes:
        """Bytes that came behind the request: the first of the connection itself."""
        return self._buffer

    def handle_bytes(self, data: bytes) -> None:
        """Take what the application sent, in pieces of any size. After a refusal nothing of it is kept."""
        if self.state is State.REFUSED:
            return
        self._buffer = self._buffer + data if self._buffer else data
        while self._step():
            pass

    def judge(self, *, right: bool) -> None:
        """Say whether the credentials in `offered` are a user's; to be called in OFFERED, once."""
        self.offered = None
        if not right:
            self._refuse("wrong username or password", bytes((_CREDENTIALS_VERSION, 1)))
            return
        self._answer += bytes((_CREDENTIALS_VERSION, 0))
        self.state = State.REQUEST
        while self._step():
            pass

    def associate(self, bound: tuple[str, int] | None) -> None:
        """Say where the application's datagrams are to go; None where there is no place for them.

        To be called in ASSOCIATING, once.
        """
        self.source = None
        if bound is None:
            self._refuse("no port for datagrams", Reply.GENERAL_FAILURE.message())
            return
        self._answer += Reply.SUCCEEDED.message(*bound)
        self._buffer = b""
        self.state = State.ASSOCIATED

    def poll_answer(self) -> bytes:
        """What is to be sent now; empty when there is nothing."""
        answer, self._answer = self._answer, b""
        return answer

    def _step(self) -> bool:
        """One message forward; False when more bytes are wanted or the negotiation is over."""
        if self.state is State.GREETING:
            return self._read_greeting()
        if self.state is State.CREDENTIALS:
            return self._read_credentials()
        if self.state is State.REQUEST:
            return self._read_request()
        return False

    def _read_greeting(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if buffer[0] != VERSION:
            return self._refuse(describe_stranger(buffer[0], "SOCKS5"))
        if len(buffer) < 2 or len(buffer) < 2 + buffer[1]:
            return False
        end = 2 + buffer[1]
        methods = buffer[2:end]
        wanted = _USERNAME_PASSWORD if self._authenticate else _NO_AUTHENTICATION
        if wanted not in methods:
            need = "username and password" if self._authenticate else "no authentication"
            return self._refuse(f"the application does not offer {need}", bytes((VERSION, _NO_ACCEPTABLE_METHOD)))
        self._answer += bytes((VERSION, wanted))
        self._buffer = buffer[end:]
        self.state = State.CREDENTIALS if self._authenticate else State.REQUEST
        return True

    def _read_credentials(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if buffer[0] != _CREDENTIALS_VERSION:
            return self._refuse("credentials of an unknown version (RFC 1929 has 1)", bytes((_CREDENTIALS_VERSION, 1)))
        if len(buffer) < 2:
            return False
        name_end = 2 + buffer[1]
        if len(buffer) <= name_end:
            return False
        end = name_end + 1 + buffer[name_end]
        if len(buffer) < end:
            return False
        self.offered = Credentials(buffer[2:name_end], buffer[name_end + 1 : end])
        self._buffer = buffer[end:]
        self.state = State.OFFERED
        return False

    def _read_request(self) -> bool:
        buffer = self._buffer
        if not buffer:
            return False
        if buffer[0] != VERSION:
            return self._refuse("a request that is not SOCKS5", Reply.GENERAL_FAILURE.message())
        if len(buffer) < 5:
            return False
        if buffer[2] != 0:
            return self._refuse("a reserved byte that is not 0 (RFC 1928)", Reply.GENERAL_FAILURE.message())
        address_type = buffer[3]
        if address_type == _IPV4:
            start, length = 4, 4
        elif address_type == _IPV6:
            start, length = 4, 16
        elif address_type == _DOMAIN_NAME:
            start, length = 5, buffer[4]
        else:
            return self._refuse(
                f"address type {address_type}, which RFC 1928 does not have",
                Reply.ADDRESS_TYPE_NOT_SUPPORTED.message(),
            )
        end = start + length + 2
        if len(buffer) < end:
            return False
        address, port = buffer[start : end - 2], int.from_bytes(buffer[end - 2 : end], "big")
        self._buffer = buffer[end:]
        return self._take_request(buffer[1], _request_of(address_type, address, port))

    def _take_request(self, command: int, request: Destination | None) -> bool:
        if command not in (_CONNECT, _UDP_ASSOCIATE):
            name = _COMMAND_NAMES.get(command, f"command {command}")
            supported = "CONNECT and UDP ASSOCIATE are"
            return self._refuse(f"{name} is not supported, {supported}", Reply.COMMAND_NOT_SUPPORTED.message())
        if request is None:
            return self._refuse("a name that is empty or not visible ASCII", Reply.GENERAL_FAILURE.message())
        if command == _UDP_ASSOCIATE:
            self.source = request
            self.state = State.ASSOCIATING
        elif request.port == 0:
            return self._refuse("port 0", Reply.GENERAL_FAILURE.message())
        else:
            self.request = request
            self.state = State.REQUESTED
        return False

    def _refuse(self, why: str, answer: bytes = b"") -> bool:
        self._answer += answer
        self._buffer = b""
        self.refusal = why
        self.state = State.REFUSED
        return False


def _request_of(address_type: int, address: bytes, port: int) -> Destination | None:
    if address_type == _DOMAIN_NAME:
        return destination_of(address, port)
    return Destination(str(ipaddress.ip_address(address)), port, is_name=False)
