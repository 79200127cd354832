"""A running server: takes the flows that its peers open through the tunnel, and dials for them.

One flow's way: the engine names it; the policy decides; the dialler connects a socket and attaches it. At the server's
own tunnel address there is DNS and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from awgproxy._native import Engine, EngineFailed, FlowClosed, FlowIncoming
from awgproxy.egress.dialer import Dialer
from awgproxy.egress.forwarder import DNS_PORT, DnsForwarder
from awgproxy.errors import ListenError
from awgproxy.policy import egress_policy
from awgproxy.session.events import EventPump
from awgproxy.session.journal import TunnelJournal
from awgproxy.session.lifetime import Lifetime
from awgproxy.session.settings import server_settings

if TYPE_CHECKING:
    from awgproxy.config import Config

log = structlog.get_logger()


async def run(config: Config) -> None:
    """Serve peers until a signal ends it.

    Raises:
        ListenError: the UDP port cannot be had.
        TunnelError: the engine failed.
    """
    with Lifetime() as lifetime:
        await ServerSession(config, lifetime).run()


class ServerSession:
    """One server from start to end."""

    def __init__(self, config: Config, lifetime: Lifetime) -> None:
        self._config = config
        self._lifetime = lifetime
        self._policy = egress_policy(config)
        self._engine = Engine(server_settings(config, self._policy))
        self._dialer = Dialer(self._engine)
        self._forwarder = DnsForwarder(self._dialer, [str(server) for server in config.server.dns])
        journal = TunnelJournal([peer.public_key for peer in config.peers])
        self._pump = EventPump(
            self._engine,
            {
                **journal.handlers,
                EngineFailed: lifetime.engine_failed,
                FlowIncoming: self._incoming,
                FlowClosed: self._closed,
            },
        )

    async def run(self) -> None:
        """Start, serve until the end is asked for, drain, stop."""
        port = self._config.interface.listen_port or 0
        try:
            self._engine.start()
        except OSError as error:
            raise ListenError.of(error, "UDP", "any address", port) from error
        try:
            self._pump.start()
            log.info("server is ready", port=self._engine.local_port(), peers=len(self._config.peers))
            await self._lifetime.until_stopped()
            log.info("stopping")
            self._engine.drain()
            await self._lifetime.drain()
        finally:
            self._pump.stop()
            self._engine.stop()
        log.info("stopped")

    def _incoming(self, event: FlowIncoming) -> None:
        self._lifetime.connection_opened()
        address, port = event.destination
        if event.to_self:
            self._to_self(event, port)
        elif event.kind == "udp":
            self._dialer.open_datagrams(event.flow, ipv6=":" in event.source[0])
        elif (reason := self._policy.verdict(address, port)) is not None:
            log.debug("connection refused by the policy", flow=event.flow, address=address, port=port, reason=reason)
            self._engine.reject(event.flow, "prohibited")
        else:
            log.debug("connection requested", flow=event.flow, address=address, port=port)
            self._dialer.dial(event.flow, (address, port))

    def _to_self(self, event: FlowIncoming, port: int) -> None:
        if port != DNS_PORT:
            self._engine.reject(event.flow, "refused")
        elif not self._forwarder.forward(event.flow, event.kind):
            log.warning("DNS is refused", reason="no upstream server: set DNS in [Server]")
            self._engine.reject(event.flow, "refused")

    def _closed(self, event: FlowClosed) -> None:
        self._lifetime.connection_closed()
        self._forwarder.flow_closed(event.flow, event.received)
        log.debug(
            "connection closed",
            flow=event.flow,
            outcome=event.outcome,
            sent=event.sent,
            received=event.received,
            reason=event.reason,
        )
