"""A client's tunnel by itself, without listeners and signals: what the program and its embedders share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy._native import EngineFailed
from awgproxy.egress.resolver import Resolver
from awgproxy.errors import TunnelClosed
from awgproxy.policy import client_policy
from awgproxy.session.associations import Associations
from awgproxy.session.carriers import Carriers
from awgproxy.session.connector import Connector
from awgproxy.session.endpoints import EndpointKeeper
from awgproxy.session.engine import running
from awgproxy.session.journal import TunnelJournal, log_counters
from awgproxy.session.network import NetworkWatch, own_address
from awgproxy.session.outbound import Outbound
from awgproxy.session.state import TunnelState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections

log = structlog.get_logger()


class ClientTunnel:
    """The engine and whatever keeps it going: endpoints, the network, names, connections, its state, the journal."""

    def __init__(
        self,
        config: Config,
        engine: SessionEngine,
        connections: OpenConnections,
        engine_failed: Callable[[EngineFailed], None] | None = None,
    ) -> None:
        """`engine`: built from `config`, and not started; `engine_failed` is called if it dies.

        Connections of the program's own are told of that in any case.
        """
        self.engine = engine
        self.resolver = Resolver(
            engine,
            [str(server) for server in config.interface.dns],
            ipv6=any(address.version == 6 for address in config.interface.addresses),
        )
        carriers = Carriers(config)
        self.connector = Connector(engine, self.resolver, connections, client_policy(config), carriers)
        self.associations = Associations(engine, self.resolver, connections)
        self._network = NetworkWatch(
            lambda: self._endpoints.current,
            self._network_changed,
            lambda endpoint: own_address(endpoint, config.interface.fw_mark),
        )
        self._endpoints = EndpointKeeper(
            config, engine, exchanged=self.resolver.forget, moved=self._network.endpoints_changed
        )
        self.state = TunnelState()
        self.outbound = Outbound(engine, self.connector, self.state, connections)
        journal = TunnelJournal([peer.public_key for peer in config.peers])
        self._handlers: tuple[Handlers, ...] = (
            journal.handlers,
            self.state.handlers,
            carriers.handlers,
            self._endpoints.handlers,
            {} if engine_failed is None else {EngineFailed: engine_failed},
            self.connector.handlers,
            self.outbound.handlers,
            self.associations.handlers,
        )

    def hear(self, handlers: Handlers) -> None:
        """Have these hear of events too; to be called before `running`."""
        self._handlers = (*self._handlers, handlers)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run until the end of the block.

        Raises:
            TunnelError: the engine cannot start.
        """
        with running(self.engine, *self._handlers), self._network, self._endpoints:
            try:
                yield
            finally:
                self.resolver.close()
                self.connector.close()
                self.outbound.end()
                self.state.close(TunnelClosed("the tunnel was closed"))
                self.associations.close()

    def _network_changed(self) -> None:
        """The server knows this end by its old address until it hears of it from the new one."""
        log.info("the network changed", consequence="a handshake at once")
        self._endpoints.network_changed()
        try:
            self.engine.handshake()
        except (OSError, RuntimeError) as error:
            log.debug("no handshake can be begun", reason=getattr(error, "strerror", None) or str(error))

    def log_counters(self, **more: int) -> None:
        """Log what was counted since the start, and `more`."""
        log_counters(
            self.engine,
            connections_prohibited=self.connector.prohibited,
            **self.resolver.counters,
            **more,
        )
