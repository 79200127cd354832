"""Names to addresses, through the tunnel and never by the system (RFC 1035; order of addresses after RFC 8305).

Each look-up asks for A and, where the tunnel has an IPv6 address, AAAA. It goes to the configured servers in turn until
one answers; one that was silent lately comes last. From the second round on TCP is tried beside UDP. What is answered
is kept for as long as it says, also that there is nothing; a name that is being looked up is asked for once, whoever
waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from awgproxy.egress.dns.answer import Answer
from awgproxy.egress.dns.cache import Cache
from awgproxy.egress.dns.ipv6 import Ipv6Path
from awgproxy.egress.dns.lookup import LookUp, NoAddress
from awgproxy.egress.dns.servers import Servers, ServerSilent
from awgproxy.errors import NameLookupFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from awgproxy.egress.dns.cache import Question
    from awgproxy.egress.dns.tunnel_sockets import TunnelSockets

TRY_SECONDS = (1.0, 2.0, 4.0)
"""How long one server is waited for, in the first, second and third round over all of them."""
FAILURE_SECONDS = 5.0
"""For how long a family that is not answered while the other one is, is not asked for again (RFC 9520, section 3.2)."""
MAX_LOOKUPS = 1024
"""Names that may be under way at once; one more fails at once."""
MAX_WAITING = 4096
"""Look-ups that may wait at once, several of them for the same name perhaps; one more fails at once."""


class Resolver:
    """Asks the configuration's DNS servers, by their addresses, over the tunnel."""

    def __init__(
        self,
        tunnel: TunnelSockets,
        servers: Sequence[str],
        *,
        ipv6: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`servers`: addresses in text form, in the order to ask; `ipv6`: whether AAAA is of any use.

        `clock`: seconds that never go back.
        """
        self._tunnel = tunnel
        self._servers = Servers(servers)
        self._families = (6, 4) if ipv6 else (4,)
        self._clock = clock
        self._cache = Cache()
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}
        self._late: set[asyncio.Task[Answer]] = set()
        self._waiting = 0
        self._turned_away = 0
        self.ipv6_path = Ipv6Path(clock)
        """To be told what becomes of connections; it has a say in the order of addresses."""

    @property
    def has_servers(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self._servers)

    @property
    def counters(self) -> Mapping[str, int]:
        """What was counted since the start: questions are of one name and one family."""
        return {
            "lookups_turned_away": self._turned_away,
            "dns_questions_from_cache": self._cache.hits,
            "dns_questions_asked": self._cache.misses,
            "dns_answers_evicted": self._cache.evicted,
        }

    async def resolve(self, name: str) -> list[str]:
        """The addresses of `name`, in the order to try them: IPv6 first, then in turn (RFC 8305, section 4).

        Where IPv6 leads nowhere, as far as is known, IPv4 comes first.

        Raises:
            NameNotFound: the servers say that there is no such name, or no address of it.
            NameLookupFailed: no DNS server is configured, none answered, the name is malformed, or a bound is reached.
        """
        if not self._servers:
            raise NameLookupFailed("no DNS server is configured: add DNS = … to [Interface]")
        key = name.rstrip(".").lower()
        task = self._under_way.get(key)
        if self._waiting >= MAX_WAITING or (task is None and len(self._under_way) >= MAX_LOOKUPS):
            self._turned_away += 1
            raise NameLookupFailed("too many names are being looked up")
        if task is None:
            task = asyncio.get_running_loop().create_task(self._look_up(key))
            self._under_way[key] = task
            task.add_done_callback(lambda task: self._looked_up(key, task))
        self._waiting += 1
        try:
            return self.ipv6_path.in_order(await asyncio.shield(task))
        finally:
            self._waiting -= 1

    def ask(self, servers: Sequence[str]) -> None:
        """From now on these are asked, in this order. What others have answered holds no more."""
        if self._servers.become(servers):
            self.forget()

    def forget(self) -> None:
        """The tunnel leads to another server: what the network behind the last one has shown holds no more."""
        self._cache.clear()
        self.ipv6_path.forget()

    def close(self) -> None:
        """Give up what is under way."""
        for task in (*self._under_way.values(), *self._late):
            task.cancel()

    def _looked_up(self, name: str, task: asyncio.Task[list[str]]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # all who waited for it may have been cancelled, and it is no defect then

    async def _look_up(self, name: str) -> list[str]:
        from awgproxy.egress.dns.messages import check_name  # noqa: PLC0415 - loaded with the first name

        check_name(name)
        if self.ipv6_path.leads_nowhere and 6 in self._families:
            with contextlib.suppress(NoAddress):
                return await self._complete(LookUp(name, (4,)))
        return await self._complete(LookUp(name, self._families))

    async def _complete(self, look_up: LookUp) -> list[str]:
        """Ask one server after the other until it is enough."""
        for family in look_up.families:
            known = self._cache.get((look_up.name, family), self._clock())
            if known is not None:
                look_up.answers[family] = known
        if not look_up.missing:
            return look_up.addresses()
        failure: NameLookupFailed | None = None
        for server, seconds, beside_stream in self._tries():
            failure = await self._ask_for_missing(look_up, server, seconds, beside_stream=beside_stream) or failure
            if look_up.is_enough:
                return look_up.addresses()
        raise failure or NameLookupFailed("no DNS server answered")

    def _tries(self) -> Iterator[tuple[str, float, bool]]:
        """Whom to ask, how many seconds to wait, and whether over TCP too."""
        for count, seconds in enumerate(TRY_SECONDS):
            for server in self._servers.in_order(self._clock()):
                yield server, seconds, count > 0 or self._servers.wants_stream(server, self._clock())

    async def _ask_for_missing(
        self, look_up: LookUp, server: str, seconds: float, *, beside_stream: bool
    ) -> NameLookupFailed | None:
        """Ask one server for what a look-up lacks, all at once, and add what comes; gives the last failure.

        What does not come soon enough goes on without being waited for, until its time is over, so that it is known
        when the name is looked up again.
        """
        loop = asyncio.get_running_loop()
        asked = {
            loop.create_task(self._ask(server, look_up.name, family, seconds, beside_stream=beside_stream)): family
            for family in look_up.missing
        }
        late = set(asked)
        failures: dict[int, NameLookupFailed] = {}
        try:
            while late:
                done, late = await asyncio.wait(late, timeout=look_up.patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                for task in done:
                    try:
                        look_up.answers[asked[task]] = task.result()
                    except NameLookupFailed as error:
                        failures[asked[task]] = error
        except BaseException:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            raise
        for task in late:
            self._leave(task, server, (look_up.name, asked[task]))
        if look_up.is_enough:
            for family in failures:
                self._not_answered(server, (look_up.name, family))
        return next(iter(failures.values()), None)

    def _leave(self, task: asyncio.Task[Answer], server: str, question: Question) -> None:
        """Let a question go on for which nobody waits; past a bound it is given up."""
        if len(self._late) >= MAX_LOOKUPS:
            task.cancel()
            return

        def ended(task: asyncio.Task[Answer]) -> None:
            self._late.discard(task)
            try:
                task.result()
            except NameLookupFailed:
                self._not_answered(server, question)
            except asyncio.CancelledError:
                pass

        self._late.add(task)
        task.add_done_callback(ended)

    def _not_answered(self, server: str, question: Question) -> None:
        """The other family has what is needed: this one is absent for a while, if that server is still asked."""
        if server in self._servers:
            self._cache.put(question, Answer(ttl=FAILURE_SECONDS), self._clock())

    async def _ask(self, server: str, name: str, family: int, seconds: float, *, beside_stream: bool) -> Answer:
        from awgproxy.egress.dns.exchange import ask  # noqa: PLC0415 - loaded with the first name
        from awgproxy.egress.dns.messages import question, read_answer  # noqa: PLC0415

        began = self._clock()
        try:
            asked = question(name, family)
            message, over_stream = await ask(self._tunnel, server, asked, seconds, beside_stream=beside_stream)
            self._servers.answered(server, self._clock(), over_stream_alone=over_stream)
            answer = read_answer(message, family)
        except ServerSilent:
            self._servers.was_silent(server, began, self._clock())
            raise
        if server in self._servers:
            self._cache.put((name, family), answer, self._clock())
        return answer
