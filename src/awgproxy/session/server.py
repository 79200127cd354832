"""A running server: takes the flows that its peers open through the tunnel, and dials for them.

One flow's way: the engine names it; the policy decides; the dialler connects a socket and attaches it. A carried one
may want a name, which is looked up first. At the server's own tunnel address there is DNS and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from awgproxy._native import EngineFailed, FlowClosed, FlowIncoming
from awgproxy.egress.dialer import Dialer
from awgproxy.egress.forwarder import DNS_PORT, DnsForwarder
from awgproxy.egress.named import NamedDialer
from awgproxy.egress.source import SourceAddresses
from awgproxy.errors import ConfigError, PolicyDenied, Problem
from awgproxy.observe.uncaught import log_uncaught
from awgproxy.policy import require_allowed
from awgproxy.session.endpoints import EndpointKeeper
from awgproxy.session.engine import running, server_engine
from awgproxy.session.journal import TunnelJournal, log_closed, log_counters
from awgproxy.session.lifetime import Lifetime
from awgproxy.session.terms import Terms
from awgproxy.session.timestamps import LastTimestamps

if TYPE_CHECKING:
    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers

log = structlog.get_logger()


async def run(config: Config) -> None:
    """Serve peers until a signal ends it.

    Raises:
        ConfigError: the engine refuses the configuration, or this machine lacks an address that it names.
        TunnelError: the UDP port cannot be had, or the engine failed.
    """
    log_uncaught()
    _require_source_addresses(config)
    terms = Terms(config)
    timestamps = LastTimestamps(config.state_file, [peer.public_key for peer in config.peers])
    engine = server_engine(config, terms.policies.common, timestamps.known, terms.grants())
    with Lifetime() as lifetime:
        await ServerSession(config, engine, terms, timestamps, lifetime).run()


class ServerSession:
    """One server from start to end."""

    def __init__(
        self,
        config: Config,
        engine: SessionEngine,
        terms: Terms,
        timestamps: LastTimestamps,
        lifetime: Lifetime,
    ) -> None:
        """`engine`: built from `config`, `terms` and `timestamps`, and not started."""
        self._config = config
        self._lifetime = lifetime
        self._terms = terms
        self._engine = engine
        sources = SourceAddresses(config.server.source_addresses)
        self._dialer = Dialer(self._engine, sources)
        self._forwarder = DnsForwarder(self._dialer, [str(server) for server in config.server.dns])
        self._named = NamedDialer(self._dialer, lambda: self._forwarder.servers, sources)
        self._connections: set[int] = set()
        self._prohibited = 0
        self._journal = TunnelJournal([peer.public_key for peer in config.peers])
        self._timestamps = timestamps
        self._endpoints = EndpointKeeper(config, self._engine, timestamps.known, grants=terms.grants)
        self._handlers: Handlers = {
            EngineFailed: lifetime.engine_failed,
            FlowIncoming: self._incoming,
            FlowClosed: self._closed,
        }

    async def run(self) -> None:
        """Start, serve until the end is asked for, drain, stop."""
        handlers = (
            self._journal.handlers,
            self._endpoints.handlers,
            self._timestamps.handlers,
            self._terms.usage.handlers,
            self._handlers,
        )
        with (
            self._timestamps,
            self._terms.usage.counting(self._engine, self._endpoints.granted),
            running(self._engine, *handlers),
            self._endpoints,
        ):
            ports = sum(len(one.listen_ports) or 1 for one in self._config.obfuscated)
            log.info("server is ready", port=self._engine.local_port(), ports=ports, peers=len(self._config.peers))
            await self._lifetime.until_stopped()
            log.info("stopping")
            self._engine.drain()
            await self._lifetime.drain()
            self._named.close()
        prohibited = self._prohibited + self._named.prohibited
        log_counters(self._engine, connections_prohibited=prohibited, **self._named.counters)
        self._journal.log_peers(self._engine)
        log.info("stopped")

    def _incoming(self, event: FlowIncoming) -> None:
        address, port = event.destination
        if event.to_self:
            self._to_self(event, port)
        elif event.kind == "udp":
            self._dialer.open_datagrams(event.flow, ipv6=":" in event.destination[0])
        else:
            self._connections.add(event.flow)
            self._lifetime.connections.opened()
            if event.is_name:
                log.debug("connection requested", flow=event.flow, host=address, port=port)
                self._named.dial(event.flow, event.peer, event.destination, self._terms.policies.of(event.peer))
            else:
                self._connect(event.flow, event.peer, address, port)

    def _connect(self, flow: int, peer: str, address: str, port: int) -> None:
        try:
            require_allowed(self._terms.policies.of(peer), address, port)
        except PolicyDenied as denied:
            self._prohibited += 1
            log.debug("connection refused", flow=flow, reason=str(denied))
            self._dialer.reject(flow, "prohibited")
            return
        log.debug("connection requested", flow=flow, address=address, port=port)
        self._dialer.dial(flow, (address, port))

    def _to_self(self, event: FlowIncoming, port: int) -> None:
        if port != DNS_PORT:
            self._dialer.reject(event.flow, "refused")
        elif not self._forwarder.forward(event.flow, event.kind):
            log.warning("DNS is refused", reason="no upstream server: set DNS in [Server]")
            self._dialer.reject(event.flow, "refused")

    def _closed(self, event: FlowClosed) -> None:
        if event.flow in self._connections:  # sources of datagrams keep nobody waiting
            self._connections.remove(event.flow)
            self._lifetime.connections.closed()
        self._forwarder.flow_closed(event.flow, event.received)
        self._named.flow_closed(event.flow)
        log_closed(event)


def _require_source_addresses(config: Config) -> None:
    """Raise ConfigError where this machine does not have an address that connections are to leave from."""
    missing = SourceAddresses(config.server.source_addresses).missing()
    if missing is not None:
        line = config.lines.get(("server", "sourceaddress"))
        message = f"this machine does not have the address {missing}"
        raise ConfigError([Problem(config.file, line, "Server", "SourceAddress", message, "one of its own")])
