"""The server's way to targets that its clients named: looked up here, judged address by address, then connected to.

Whom to ask for names is whom the clients' DNS goes to. The first address that answers is attached (RFC 8305), and it is
one of those that were judged: nothing is looked up twice for a connection. Each flow has a task of its own, which ends
with it. A look-up may go on after that, and counts as its peer's until it ends: a peer has at most as many as others
could still begin, so that one takes half of what there is, two take a third each, and there is always room for another.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from awgproxy.egress.direct import DirectSockets
from awgproxy.egress.race import NothingAnswered, race
from awgproxy.egress.resolver import MAX_LOOKUPS, Resolver
from awgproxy.errors import NameLookupFailed, NameNotFound, PolicyDenied
from awgproxy.policy import allowed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from awgproxy._native import EgressPolicy, _Rejection
    from awgproxy.egress.dialer import Dialer
    from awgproxy.egress.source import SourceAddresses

PATIENCE_SECONDS = 9.0
"""For a name and its addresses together: the engine waits a second longer, so that what is told happened here."""

log = structlog.get_logger()


class NamedDialer:
    """Gives flows of the tunnel's clients their outer sockets, by name."""

    def __init__(self, dialer: Dialer, upstream: Callable[[], Sequence[str]], sources: SourceAddresses) -> None:
        """`upstream`: the DNS servers of the moment; `sources`: where everything leaves from."""
        self._dialer = dialer
        self._upstream = upstream
        self._sources = sources
        self._resolver = Resolver(DirectSockets(sources), (), ipv6=True)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._looking_up: Counter[str] = Counter()
        self._turned_away = 0
        self._warned_of_no_dns = False
        self.prohibited = 0
        """Connections that the policy refused."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What was counted since the start."""
        counted = dict(self._resolver.counters)
        counted["lookups_turned_away"] += self._turned_away
        return counted

    def dial(self, flow: int, peer: str, target: tuple[str, int], policy: EgressPolicy) -> None:
        """Connect a flow to `target`, a name and a port, as far as `policy` allows; failures are told truthfully."""
        task = asyncio.get_running_loop().create_task(self._dial(flow, peer, target, policy))
        self._tasks[flow] = task
        task.add_done_callback(lambda _: self._tasks.pop(flow))

    def flow_closed(self, flow: int) -> None:
        """Give up what a flow was waiting for."""
        task = self._tasks.get(flow)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Give up everything."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        self._resolver.close()

    async def _dial(self, flow: int, peer: str, target: tuple[str, int], policy: EgressPolicy) -> None:
        try:
            deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
            addresses = await self._addresses_of(peer, target[0])
            destinations = [(address, target[1]) for address in allowed_of(policy, addresses, target[1])]
            await self._connect(flow, destinations, deadline)
        except NameNotFound as error:
            self._refuse(flow, "host-unreachable", error)
        except NameLookupFailed as error:
            self._refuse(flow, "failed", error)
        except PolicyDenied as denied:
            self.prohibited += 1
            self._refuse(flow, "prohibited", denied)
        except Exception:
            log.exception("a name could not be connected to")
            self._dialer.reject(flow, "failed")

    async def _addresses_of(self, peer: str, name: str) -> list[str]:
        self._ask_the_servers_of_the_moment()
        if self._looking_up[peer] >= MAX_LOOKUPS - self._looking_up.total():
            self._turned_away += 1
            raise NameLookupFailed("too many names of this peer are being looked up")
        self._looking_up[peer] += 1
        look_up = asyncio.get_running_loop().create_task(self._resolver.resolve(name))
        look_up.add_done_callback(lambda look_up: self._looked_up(peer, look_up))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(look_up)
        except TimeoutError:
            raise NameLookupFailed("no DNS server answered in time") from None

    async def _connect(self, flow: int, destinations: Sequence[tuple[str, int]], deadline: float) -> None:
        if len(destinations) == 1:
            self._dialer.dial(flow, destinations[0])
            return
        path = self._resolver.ipv6_path
        path.opened(flow, [address for address, _ in destinations])
        try:
            left = deadline - asyncio.get_running_loop().time()
            outer, (address, _) = await race(destinations, self._sources, left)
        except NothingAnswered as failed:
            self._dialer.reject_for(flow, failed.errors)
        else:
            if path.connected(flow, address):
                log.info("IPv6 leads nowhere from here" if path.leads_nowhere else "IPv6 works again")
            self._dialer.attach(flow, outer)
        finally:
            path.ended(flow)

    def _looked_up(self, peer: str, look_up: asyncio.Task[list[str]]) -> None:
        self._looking_up[peer] -= 1
        if not self._looking_up[peer]:
            del self._looking_up[peer]
        if not look_up.cancelled():
            look_up.exception()  # whoever waited for it may be gone, and it is no defect then

    def _refuse(self, flow: int, reason: _Rejection, why: Exception) -> None:
        log.debug("connection refused", flow=flow, reason=str(why))
        self._dialer.reject(flow, reason)

    def _ask_the_servers_of_the_moment(self) -> None:
        """They change with the system's file, and their order with what the clients' DNS shows of them.

        Raises:
            NameLookupFailed: there are none.
        """
        servers = self._upstream()
        if not servers:
            if not self._warned_of_no_dns:
                self._warned_of_no_dns = True
                log.warning("names are refused", reason="no upstream server: set DNS in [Server]")
            raise NameLookupFailed("there is no upstream DNS server")
        self._resolver.ask(servers)
