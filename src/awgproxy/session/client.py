"""A running client: SOCKS5 applications on one side, the tunnel on the other.

One connection's way: the listener hands over an application and its request; a name is resolved through the tunnel; the
engine gets the addresses, the application's socket and the reply for each outcome, and is heard of again when the
connection has closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import EngineFailed, FlowClosed, FlowConnected, FlowRefused
from awgproxy.config.values import Endpoint
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import NameLookupFailed, NameNotFound
from awgproxy.observe.uncaught import log_uncaught
from awgproxy.proxy.listener import Accepted, Listener
from awgproxy.proxy.replies import SOCKS5_REPLIES
from awgproxy.proxy.socks5 import Credentials, Reply
from awgproxy.session.endpoints import EndpointKeeper
from awgproxy.session.engine import client_engine, running
from awgproxy.session.journal import TunnelJournal, log_closed, log_counters
from awgproxy.session.lifetime import Lifetime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config import Config, Socks5
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers

log = structlog.get_logger()


async def run(config: Config) -> None:
    """Serve applications until a signal ends it.

    Raises:
        ConfigError: the engine refuses the configuration.
        ListenError: the SOCKS5 port cannot be listened on.
        TunnelError: the tunnel's own port cannot be had, or the engine failed.
    """
    log_uncaught()
    engine = client_engine(config)
    with Lifetime() as lifetime:
        await ClientSession(config, engine, lifetime).run()


class ClientSession:
    """One client from start to end."""

    def __init__(self, config: Config, engine: SessionEngine, lifetime: Lifetime) -> None:
        """`engine`: built from `config`, and not started."""
        self._config = config
        self._lifetime = lifetime
        self._engine = engine
        self._journal = TunnelJournal([peer.public_key for peer in config.peers])
        self._endpoints = EndpointKeeper(config, self._engine)
        self._handlers: Handlers = {
            EngineFailed: lifetime.engine_failed,
            FlowConnected: self._connected,
            FlowRefused: self._refused,
            FlowClosed: self._closed,
        }
        self._resolver = Resolver(
            self._engine,
            [str(server) for server in config.interface.dns],
            ipv6=any(address.version == 6 for address in config.interface.addresses),
        )
        socks5 = config.socks5
        self._listener = Listener(
            socks5.bind_address.host,
            socks5.bind_address.port,
            _credentials(socks5),
            self._application,
        )
        self._connecting: set[asyncio.Task[None]] = set()
        self._flows: set[int] = set()
        self._warned_of_no_dns = False

    async def run(self) -> None:
        """Start, serve until the end is asked for, drain, stop."""
        self._listener.start()
        try:
            with (
                running(self._engine, self._journal.handlers, self._endpoints.handlers, self._handlers),
                self._endpoints,
            ):
                try:
                    await self._serve()
                finally:
                    self._resolver.close()
                    for task in tuple(self._connecting):
                        task.cancel()
        finally:
            self._listener.stop()
        log_counters(
            self._engine,
            applications=self._listener.accepted,
            refused=self._listener.refused,
            lookups_turned_away=self._resolver.turned_away,
        )
        log.info("stopped")

    async def _serve(self) -> None:
        host, port = self._listener.address
        log.info("SOCKS5 is ready", address=str(Endpoint(host, port)))
        await self._lifetime.until_stopped()
        log.info("stopping")
        self._listener.stop()
        self._engine.drain()
        await self._lifetime.drain()

    def _application(self, accepted: Accepted) -> None:
        """What the listener calls with each request."""
        self._lifetime.connection_opened()
        request = accepted.request
        if not request.is_name:
            self._open(accepted, [request.host])
            return
        task = asyncio.get_running_loop().create_task(self._open_by_name(accepted))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _open_by_name(self, accepted: Accepted) -> None:
        try:
            addresses = await self._resolver.resolve(accepted.request.host)
        except NameNotFound as error:
            self._answer_and_close(accepted, Reply.HOST_UNREACHABLE, str(error))
        except NameLookupFailed as error:
            if not self._config.interface.dns and not self._warned_of_no_dns:
                self._warned_of_no_dns = True
                log.warning("names are refused", reason=str(error))
            self._answer_and_close(accepted, Reply.GENERAL_FAILURE, str(error))
        except asyncio.CancelledError:
            self._lifetime.connection_closed()
            accepted.socket.close()
            raise
        except Exception:
            log.exception("a name could not be looked up")
            self._answer_and_close(accepted, Reply.GENERAL_FAILURE, "a defect of awgproxy")
        else:
            self._open(accepted, addresses)

    def _open(self, accepted: Accepted, addresses: Sequence[str]) -> None:
        port = accepted.request.port
        descriptor = accepted.socket.fileno()
        try:
            flow = self._engine.open(
                [(address, port) for address in addresses], descriptor, accepted.early, SOCKS5_REPLIES
            )
        except (OSError, RuntimeError) as error:
            self._answer_and_close(accepted, Reply.GENERAL_FAILURE, str(error))
            return
        accepted.socket.detach()
        self._flows.add(flow)
        log.debug("connection requested", flow=flow, host=accepted.request.host, port=port)

    def _answer_and_close(self, accepted: Accepted, reply: Reply, why: str) -> None:
        log.debug("connection failed", host=accepted.request.host, port=accepted.request.port, reason=why)
        with contextlib.suppress(OSError):  # the application may have hung up first
            accepted.socket.send(reply.message())
        accepted.socket.close()
        self._lifetime.connection_closed()

    def _connected(self, event: FlowConnected) -> None:
        log.debug("connection open", flow=event.flow, address=event.destination[0], port=event.destination[1])

    def _refused(self, event: FlowRefused) -> None:
        log.debug("connection failed", flow=event.flow, reason=event.reason)

    def _closed(self, event: FlowClosed) -> None:
        if event.flow not in self._flows:
            return  # one of the resolver's
        self._flows.remove(event.flow)
        self._lifetime.connection_closed()
        log_closed(event)


def _credentials(socks5: Socks5) -> Credentials | None:
    if socks5.username is None or socks5.password is None:
        return None
    return Credentials(socks5.username.encode(), socks5.password.get_secret_value().encode())
