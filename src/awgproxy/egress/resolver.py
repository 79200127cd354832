"""Names to addresses, through the tunnel and never by the system (RFC 1035; order of addresses after RFC 8305).

Each look-up asks for A and, where the tunnel has an IPv6 address, AAAA, from a port and with ids of its own, so that
an answer cannot be guessed; it goes to the configured servers in turn until one answers. A truncated answer is asked
for again over TCP. A name that is being looked up is asked for once, whoever waits. There is no cache: the servers
have one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import select
import socket
from typing import TYPE_CHECKING, Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from awgproxy.errors import NameLookupFailed, NameNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DNS_PORT = 53
TRY_SECONDS = (1.0, 2.0, 4.0)
"""How long one server is waited for, in the first, second and third round over all of them."""
RESOLUTION_DELAY_SECONDS = 0.05
"""How long IPv4 addresses wait for the AAAA answer (RFC 8305, section 3)."""
ATTEMPT_DELAY_SECONDS = 0.25
"""How long IPv6 addresses wait for the A answer: while IPv4 would not be tried anyway (RFC 8305, section 5). No address
can be added to a connection later, and where the way out lacks IPv6 it would fail."""
MISSING_DELAY_SECONDS = 0.25
"""How long the answer that there is no such name waits for the other family's: some servers give it for a name that has
no address of the family that was asked for (RFC 4074, section 4.2)."""
MAX_LOOKUPS = 1024
"""Names that may be under way at once; one more fails at once."""
MAX_WAITING = 4096
"""Look-ups that may wait at once, several of them for the same name perhaps; one more fails at once."""
MAX_ADDRESSES = 16
"""Addresses kept of one look-up."""
_MAX_MESSAGE = 65535
_END: int = getattr(select, "POLLRDHUP", 0)  # Linux alone has it, and a pair whose ends learn of each other's end
_RECORD_TYPES = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}


class TunnelSockets(Protocol):
    """What the resolver needs of the engine."""

    def open_datagrams(self, destination: tuple[str, int]) -> tuple[int, int]:
        """Open a flow of datagrams to `destination`; gives (flow, descriptor of a datagram socket)."""

    def open_stream(self, destinations: Sequence[tuple[str, int]]) -> tuple[int, int]:
        """Open a connection to the first destination that answers; gives (flow, descriptor of a stream socket)."""

    def close_flow(self, flow: int) -> None:
        """End a flow; nothing happens where it has ended already."""


class Resolver:
    """Asks the configuration's DNS servers, by their addresses, over the tunnel."""

    def __init__(self, tunnel: TunnelSockets, servers: Sequence[str], *, ipv6: bool) -> None:
        """`servers`: addresses in text form, in the order to ask; `ipv6`: whether AAAA is of any use."""
        self._tunnel = tunnel
        self._servers = tuple(servers)
        self._families = (6, 4) if ipv6 else (4,)
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}
        self._waiting = 0
        self.turned_away = 0
        """Look-ups that failed at a bound."""

    async def resolve(self, name: str) -> list[str]:
        """The addresses of `name`, in the order to try them: IPv6 first, then in turn (RFC 8305, section 4).

        Raises:
            NameNotFound: the servers say that there is no such name, or no address of it.
            NameLookupFailed: no DNS server is configured, none answered, the name is malformed, or a bound is reached.
        """
        if not self._servers:
            raise NameLookupFailed("no DNS server is configured: add DNS = … to [Interface]")
        key = name.rstrip(".").lower()
        task = self._under_way.get(key)
        if self._waiting >= MAX_WAITING or (task is None and len(self._under_way) >= MAX_LOOKUPS):
            self.turned_away += 1
            raise NameLookupFailed("too many names are being looked up")
        if task is None:
            task = asyncio.get_running_loop().create_task(self._look_up(key))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        self._waiting += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting -= 1

    @property
    def has_servers(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self._servers)

    def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._under_way.values()):
            task.cancel()

    async def _look_up(self, name: str) -> list[str]:
        try:
            absolute = dns.name.from_text(name).to_text()
        except (dns.exception.DNSException, UnicodeError) as error:
            raise NameLookupFailed("the name is malformed") from error
        failure: NameLookupFailed | None = None
        for seconds in TRY_SECONDS:
            for server in self._servers:
                try:
                    return await self._ask_server(server, absolute, seconds)
                except NameNotFound:
                    raise  # an answer: no other server is asked
                except NameLookupFailed as error:
                    failure = error
        raise failure or NameLookupFailed("no DNS server answered")

    async def _ask_server(self, server: str, name: str, seconds: float) -> list[str]:
        """All families at once. Once one of them is answered, the others are waited for only a moment longer."""
        questions = [
            asyncio.get_running_loop().create_task(self._ask(server, name, family, seconds))
            for family in self._families
        ]
        try:
            answered, late = await asyncio.wait(questions, return_when=asyncio.FIRST_COMPLETED)
            if late:
                await asyncio.wait(late, timeout=_patience(*answered))
            return _judge([question for question in questions if question.done()])
        finally:
            for question in questions:
                question.cancel()
            await asyncio.gather(*questions, return_exceptions=True)

    async def _ask(self, server: str, name: str, family: int, seconds: float) -> list[str]:
        question = dns.message.make_query(name, _RECORD_TYPES[family])
        try:
            async with asyncio.timeout(seconds):
                answer = await self._ask_by_datagram(server, question)
                if answer.flags & dns.flags.TC:
                    answer = await self._ask_by_stream(server, question)
            return _addresses_of(answer, _RECORD_TYPES[family])
        except TimeoutError as error:
            raise NameLookupFailed("the DNS server does not answer") from error
        except _NoFlow as error:
            raise NameLookupFailed(f"the DNS server cannot be asked: {error}") from error
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise NameLookupFailed("the DNS server's answer is unusable") from error

    async def _ask_by_datagram(self, server: str, question: dns.message.Message) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        with _opening():
            flow, descriptor = self._tunnel.open_datagrams((server, DNS_PORT))
        with contextlib.ExitStack() as closing:
            closing.callback(self._tunnel.close_flow, flow)
            channel = closing.enter_context(socket.socket(fileno=descriptor))
            channel.setblocking(False)
            await loop.sock_sendall(channel, question.to_wire())
            while True:
                data = await loop.sock_recv(channel, _MAX_MESSAGE)
                if not data and _hung_up(channel):
                    raise EOFError
                # Whatever is not the answer to this very question is passed over, as a guess would be.
                with contextlib.suppress(dns.exception.DNSException):
                    answer = dns.message.from_wire(data)
                    if question.is_response(answer):
                        return answer
                await asyncio.sleep(0)  # what is there already is read without waiting, and others have their turn

    async def _ask_by_stream(self, server: str, question: dns.message.Message) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        with _opening():
            _, descriptor = self._tunnel.open_stream([(server, DNS_PORT)])
        with socket.socket(fileno=descriptor) as channel:
            channel.setblocking(False)
            data = question.to_wire()
            await loop.sock_sendall(channel, len(data).to_bytes(2, "big") + data)
            length = int.from_bytes(await _receive_exactly(channel, 2), "big")
            answer = dns.message.from_wire(await _receive_exactly(channel, length))
        if not question.is_response(answer):
            raise EOFError
        return answer


class _NoFlow(Exception):  # noqa: N818 - named as its outcome is
    """The tunnel gave no flow: a bound is reached, no descriptor is left, or the engine ends."""


@contextlib.contextmanager
def _opening() -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise _NoFlow(getattr(error, "strerror", None) or str(error)) from error


def _hung_up(channel: socket.socket) -> bool:
    """Whether an empty read was the end; else it was an empty datagram."""
    poll = select.poll()
    poll.register(channel, _END)
    return any(events & (_END | select.POLLHUP) for _, events in poll.poll(0))


async def _receive_exactly(channel: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        data = await asyncio.get_running_loop().sock_recv(channel, count - len(received))
        if not data:
            raise EOFError
        received += data
    return bytes(received)


def _addresses_of(answer: dns.message.Message, record_type: dns.rdatatype.RdataType) -> list[str]:
    """The addresses at the end of the answer's chain of aliases; empty where the name has none of this type."""
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        raise NameNotFound("there is no such name")
    if code != dns.rcode.NOERROR:
        raise NameLookupFailed(f"the DNS server answers {dns.rcode.to_text(code)}")
    if not isinstance(answer, dns.message.QueryMessage):
        raise NameLookupFailed("the DNS server answers something else")
    records = answer.resolve_chaining().answer
    if records is None or records.rdtype != record_type:
        return []
    return [record.address for record in itertools.islice(records, MAX_ADDRESSES)]


def _patience(answered: asyncio.Task[list[str]]) -> float | None:
    """How many seconds the other family is worth, given the first answer; None = all that it may take."""
    error = answered.exception()
    if error is not None:
        return MISSING_DELAY_SECONDS if isinstance(error, NameNotFound) else None
    addresses = answered.result()
    if not addresses:
        return None
    return ATTEMPT_DELAY_SECONDS if ":" in addresses[0] else RESOLUTION_DELAY_SECONDS


def _judge(answers: Sequence[asyncio.Task[list[str]]]) -> list[str]:
    """The addresses of all families; where there are none, that the name is not there comes before other failures."""
    failures = [error for answer in answers if (error := answer.exception()) is not None]
    addresses = [answer.result() for answer in answers if answer.exception() is None]
    if any(addresses):
        return _interleave(addresses)
    raise min(
        failures, key=lambda error: not isinstance(error, NameNotFound), default=NameNotFound("the name has no address")
    )


def _interleave(families: Sequence[Sequence[str]]) -> list[str]:
    turns = itertools.chain.from_iterable(itertools.zip_longest(*families))
    return [address for address in turns if address is not None][:MAX_ADDRESSES]
