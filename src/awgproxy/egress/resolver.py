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
"""How long an AAAA answer is waited for once the A answer is there (RFC 8305, section 3)."""
MAX_LOOKUPS = 1024
"""Names that may be under way at once; one more fails at once."""
MAX_ADDRESSES = 16
"""Addresses kept of one look-up."""
_MAX_MESSAGE = 65535
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

    async def resolve(self, name: str) -> list[str]:
        """The addresses of `name`, in the order to try them: IPv6 first, then in turn (RFC 8305, section 4).

        Raises:
            NameNotFound: the servers say that there is no such name, or no address of it.
            NameLookupFailed: no DNS server is configured, none answered, or the name is malformed.
        """
        if not self._servers:
            raise NameLookupFailed("no DNS server is configured: add DNS = … to [Interface]")
        key = name.rstrip(".").lower()
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= MAX_LOOKUPS:
                raise NameLookupFailed(f"more than {MAX_LOOKUPS} names are being looked up")
            task = asyncio.get_running_loop().create_task(self._look_up(key))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

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
        """All families at once; what came by the time that the first address family is known and the delay is over."""
        questions = {
            family: asyncio.get_running_loop().create_task(self._ask(server, name, family, seconds))
            for family in self._families
        }
        try:
            await asyncio.wait([questions[4]])
            if 6 in questions and not questions[6].done():
                usable = questions[4].exception() is None and questions[4].result()
                await asyncio.wait([questions[6]], timeout=RESOLUTION_DELAY_SECONDS if usable else None)
            answers = [question for question in questions.values() if question.done()]
            addresses = [q.result() for q in answers if q.exception() is None]
            if any(addresses):
                return _interleave(addresses)
            for question in answers:
                if (error := question.exception()) is not None:
                    raise error
            raise NameNotFound("the name has no address")
        finally:
            for question in questions.values():
                question.cancel()
            await asyncio.gather(*questions.values(), return_exceptions=True)

    async def _ask(self, server: str, name: str, family: int, seconds: float) -> list[str]:
        question = dns.message.make_query(name, _RECORD_TYPES[family])
        try:
            async with asyncio.timeout(seconds):
                answer = await self._ask_by_datagram(server, question)
                if answer.flags & dns.flags.TC:
                    answer = await self._ask_by_stream(server, question)
        except TimeoutError as error:
            raise NameLookupFailed("the DNS server does not answer") from error
        except _NoFlow as error:
            raise NameLookupFailed(f"the DNS server cannot be asked: {error}") from error
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise NameLookupFailed("the DNS server's answer is unusable") from error
        return _addresses_of(answer, _RECORD_TYPES[family])

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
                if not data:
                    raise EOFError
                # Whatever is not the answer to this very question is passed over, as a guess would be.
                with contextlib.suppress(dns.exception.DNSException):
                    answer = dns.message.from_wire(data)
                    if question.is_response(answer):
                        return answer

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


def _interleave(families: Sequence[Sequence[str]]) -> list[str]:
    turns = itertools.chain.from_iterable(itertools.zip_longest(*families))
    return [address for address in turns if address is not None][:MAX_ADDRESSES]
