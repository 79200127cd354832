"""The server's way to targets that its clients named: looked up here, judged address by address, then connected to.

Whom to ask for names is whom the clients' DNS goes to. The first address that answers is attached (RFC 8305), and it is
one of those that were judged: nothing is looked up twice for a connection. Each flow has a task of its own, which ends
with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from awgproxy.egress.direct import DirectSockets
from awgproxy.egress.race import NothingAnswered, race
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import NameLookupFailed, NameNotFound, PolicyDenied
from awgproxy.policy import allowed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from awgproxy._native import EgressPolicy, _Rejection
    from awgproxy.egress.dialer import Dialer
    from awgproxy.egress.source import SourceAddresses

PATIENCE_SECONDS = 9.0
"""For a name and its addresses together: the engine waits a second longer, so that what is told is what happened here."""
MAX_OF_PEER = 512
"""Names of one peer that may be looked up at once; one more fails at once, so that no peer takes all that there is."""

log = structlog.get_logger()


class NamedDialer:
    """Gives flows of the tunnel's clients their outer sockets, by name."""

    def __init__(self, dialer: Dialer, upstream: Callable[[], Sequence[str]], sources: SourceAddresses) -> None:
        """`upstream`: the DNS servers of the moment; `sources`: where everything leaves from."""
        self._dialer = dialer
        self._upstream = upstream
        self._sources = sources
        self._asked: frozenset[str] = frozenset()
        self._resolver = Resolver(DirectSockets(sources), (), ipv6=True)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._looking_up: dict[str, set[int]] = {}
        self._turned_away = 0
        self._warned_of_no_dns = False
        self.prohibited = 0
        """Connections that the policy refused."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What was counted since the start; questions are those to the DNS servers of the moment."""
        counted = dict(self._resolver.counters)
        counted["lookups_turned_away"] += self._turned_away
        return counted

    def dial(self, flow: int, peer: str, target: tuple[str, int], policy: EgressPolicy) -> None:
        """Connect a flow to `target`, a name and a port, as far as `policy` allows; failures are told truthfully."""
        if len(self._looking_up.get(peer, ())) >= MAX_OF_PEER:
            self._turned_away += 1
            self._refuse(flow, "failed", NameLookupFailed("too many names of this peer are being looked up"))
            return
        self._looking_up.setdefault(peer, set()).add(flow)
        task = asyncio.get_running_loop().create_task(self._dial(flow, peer, target, policy))
        self._tasks[flow] = task
        task.add_done_callback(lambda _: self._ended(flow, peer))

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
            addresses = await self._addresses_of(flow, peer, target[0])
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

    async def _addresses_of(self, flow: int, peer: str, name: str) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._resolver_of_the_moment().resolve(name)
        except TimeoutError:
            raise NameLookupFailed("no DNS server answered in time") from None
        finally:
            self._looked_up(flow, peer)

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

    def _looked_up(self, flow: int, peer: str) -> None:
        flows = self._looking_up.get(peer, set())
        flows.discard(flow)
        if not flows:
            self._looking_up.pop(peer, None)

    def _ended(self, flow: int, peer: str) -> None:
        self._looked_up(flow, peer)  # of one that was cancelled before it began
        del self._tasks[flow]

    def _refuse(self, flow: int, reason: _Rejection, why: Exception) -> None:
        log.debug("connection refused", flow=flow, reason=str(why))
        self._dialer.reject(flow, reason)

    def _resolver_of_the_moment(self) -> Resolver:
        """As the servers change, with the system's file, another one takes the place of the last.

        Raises:
            NameLookupFailed: there are none.
        """
        servers = self._upstream()
        if not servers:
            if not self._warned_of_no_dns:
                self._warned_of_no_dns = True
                log.warning("names are refused", reason="no upstream server: set DNS in [Server]")
            raise NameLookupFailed("there is no upstream DNS server")
        if frozenset(servers) != self._asked:
            self._asked = frozenset(servers)
            self._resolver = Resolver(DirectSockets(self._sources), servers, ipv6=True)
        return self._resolver
