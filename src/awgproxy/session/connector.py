"""Connects applications through the tunnel, whatever front they came by.

One connection's way: a name is left to the server where a carrier takes it there, and resolved through the tunnel
otherwise; the engine gets the name, or the addresses that the policy allows, the application's socket and the reply for
each outcome, and is heard of again when the connection has closed. A name that the engine cannot leave to the server
after all, since the carrier has gone meanwhile, comes back to be resolved here.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import AddressesWanted, FlowClosed, FlowConnected, FlowRefused
from awgproxy.errors import NameLookupFailed, NameNotFound, PolicyDenied
from awgproxy.policy import allowed_of, require_port_allowed
from awgproxy.proxy.destination import is_address
from awgproxy.session.journal import log_closed

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from awgproxy._native import EgressPolicy, _Rejection
    from awgproxy.egress.resolver import Resolver
    from awgproxy.proxy.application import Application
    from awgproxy.proxy.destination import Destination
    from awgproxy.session.carriers import Carriers
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections

log = structlog.get_logger()


class Connector:
    """Opens the flows of a client's applications."""

    def __init__(
        self,
        engine: SessionEngine,
        resolver: Resolver,
        connections: OpenConnections,
        policy: EgressPolicy,
        carriers: Carriers,
    ) -> None:
        """`connections` hears of each from its request to its end; `policy` says which addresses may be opened.

        `carriers` say what may be left to the server.
        """
        self._engine = engine
        self._resolver = resolver
        self._connections = connections
        self._policy = policy
        self._carriers = carriers
        self.prohibited = 0
        """Connections that the policy refused."""
        self._looking_up: set[asyncio.Task[None]] = set()
        self._finding: dict[int, asyncio.Task[None]] = {}
        self._flows: dict[int, Application] = {}
        self._others: set[int] = set()
        self._warned_of_no_dns = False
        self.handlers: Handlers = {
            FlowConnected: self._connected,
            FlowRefused: self._refused,
            FlowClosed: self._closed,
            AddressesWanted: self._wanted,
        }

    def connect(self, application: Application) -> None:
        """Take an application over, from its request to its end."""
        self._connections.opened()
        destination = application.destination
        if not destination.is_name or self.is_left_to_the_server(destination):
            self._open(application, [destination.host])
            return
        self._look_up(self._open_by_name(application))

    @property
    def can_look_up(self) -> bool:
        """Whether there is anybody to ask for names."""
        return self._resolver.has_servers

    async def addresses_of(self, destination: Destination) -> list[str]:
        """Every address of a destination, in the order to try them.

        Raises:
            NameLookupFailed: they could not be looked up; see `Resolver.resolve`.
        """
        return await self._resolver.resolve(destination.host) if destination.is_name else [destination.host]

    def is_left_to_the_server(self, destination: Destination) -> bool:
        """Whether a connection to it needs no addresses here."""
        return destination.is_name and self._carriers.takes(destination.host)

    def allowed(self, hosts: Sequence[str], port: int) -> list[tuple[str, int]]:
        """Where a connection to these addresses may be tried, or to a name that is left to the server.

        Raises:
            PolicyDenied: the policy allows none of them.
        """
        try:
            if not is_address(hosts[0]):
                require_port_allowed(self._policy, hosts[0], port)
                return [(hosts[0], port)]
            return [(address, port) for address in allowed_of(self._policy, hosts, port)]
        except PolicyDenied:
            self.prohibited += 1
            raise

    def began(self, flow: int, destinations: Sequence[tuple[str, int]]) -> None:
        """A connection that somebody else began tries these: what becomes of it tells of IPv6."""
        self._others.add(flow)
        self._tries(flow, destinations)

    def close(self) -> None:
        """Give up the look-ups that are under way, and their applications."""
        for task in tuple(self._looking_up):
            task.cancel()

    def _look_up(self, looking_up: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(looking_up)
        self._looking_up.add(task)
        task.add_done_callback(self._looking_up.discard)
        return task

    async def _open_by_name(self, application: Application) -> None:
        answers = application.answers
        try:
            addresses = await self.addresses_of(application.destination)
        except NameNotFound as error:
            self._answer_and_close(application, answers.host_unreachable, str(error))
        except NameLookupFailed as error:
            if not self.can_look_up and not self._warned_of_no_dns:
                self._warned_of_no_dns = True
                log.warning("names are refused", reason=str(error))
            self._answer_and_close(application, answers.failed, str(error))
        except asyncio.CancelledError:
            application.socket.close()
            self._ended(application, in_order=False)
            raise
        except Exception:
            log.exception("a name could not be looked up")
            self._answer_and_close(application, answers.failed, "a defect of awgproxy")
        else:
            self._open(application, addresses)

    def _tries(self, flow: int, destinations: Sequence[tuple[str, int]]) -> None:
        if is_address(destinations[0][0]):
            self._resolver.ipv6_path.opened(flow, [address for address, _ in destinations])

    def _open(self, application: Application, hosts: Sequence[str]) -> None:
        """To the addresses of the destination, or to a name that is left to the server."""
        port = application.destination.port
        descriptor = application.socket.fileno()
        try:
            destinations = self.allowed(hosts, port)
            flow = self._engine.open(destinations, descriptor, application.early, application.answers.replies)
        except PolicyDenied as denied:
            self._answer_and_close(application, application.answers.prohibited, str(denied))
            return
        except (OSError, RuntimeError) as error:
            self._answer_and_close(application, application.answers.failed, str(error))
            return
        application.socket.detach()
        self._flows[flow] = application
        self._tries(flow, destinations)
        log.debug("connection requested", flow=flow, host=application.destination.host, port=port)

    def _answer_and_close(self, application: Application, answer: bytes, why: str) -> None:
        destination = application.destination
        log.debug("connection failed", host=destination.host, port=destination.port, reason=why)
        with contextlib.suppress(OSError):  # the application may have hung up first
            application.socket.send(answer)
        application.socket.close()
        self._ended(application, in_order=False)

    def _ended(self, application: Application, *, in_order: bool) -> None:
        self._connections.closed()
        if application.ended is not None:
            application.ended(in_order)

    def _wanted(self, event: AddressesWanted) -> None:
        task = self._look_up(self._find_addresses(event.flow, *event.destination))
        self._finding[event.flow] = task
        task.add_done_callback(lambda _: self._finding.pop(event.flow, None))

    async def _find_addresses(self, flow: int, name: str, port: int) -> None:
        """Resolve a name that was left to the server and came back; its flow stays what it is.

        Given up where the flow ends meanwhile: nothing is heard any more of addresses that are tried for it then.
        """
        reason: _Rejection = "failed"
        try:
            destinations = self.allowed(await self._resolver.resolve(name), port)
        except NameNotFound as error:
            reason, why = "host-unreachable", str(error)
        except PolicyDenied as denied:
            reason, why = "prohibited", str(denied)
        except NameLookupFailed as error:
            why = str(error)
        except Exception:
            log.exception("a name could not be looked up")
            why = "a defect of awgproxy"
        else:
            self._tries(flow, destinations)
            with contextlib.suppress(OSError, RuntimeError):  # of an engine that is too busy, or has ended
                self._engine.name_found(flow, name, [address for address, _ in destinations])
            return
        log.debug("connection failed", flow=flow, host=name, port=port, reason=why)
        with contextlib.suppress(OSError, RuntimeError):
            self._engine.reject(flow, reason)

    def _connected(self, event: FlowConnected) -> None:
        address, port = event.destination
        log.debug("connection open", flow=event.flow, address=address, port=port)
        known = event.flow in self._flows or event.flow in self._others
        if known and is_address(address) and self._resolver.ipv6_path.connected(event.flow, address):
            if self._resolver.ipv6_path.leads_nowhere:
                log.info("IPv6 leads nowhere behind the tunnel", consequence="IPv4 is tried first")
            else:
                log.info("IPv6 works again behind the tunnel")

    def _refused(self, event: FlowRefused) -> None:
        log.debug("connection failed", flow=event.flow, reason=event.reason)

    def _closed(self, event: FlowClosed) -> None:
        finding = self._finding.pop(event.flow, None)
        if finding is not None:
            finding.cancel()
        self._resolver.ipv6_path.ended(event.flow)
        self._others.discard(event.flow)
        application = self._flows.pop(event.flow, None)
        if application is None:
            return  # somebody else's
        self._ended(application, in_order=event.outcome == "orderly")
        log_closed(event)
