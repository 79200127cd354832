"""A client's tunnel by itself, without listeners and signals: what the program and its embedders share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from awgproxy._native import EngineFailed
from awgproxy.egress.resolver import Resolver
from awgproxy.policy import client_policy
from awgproxy.session.connector import Connector
from awgproxy.session.endpoints import EndpointKeeper
from awgproxy.session.engine import running
from awgproxy.session.journal import TunnelJournal, log_counters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers
    from awgproxy.session.open_connections import OpenConnections


class ClientTunnel:
    """The engine and whatever keeps it going: endpoints, names, connections, the journal."""

    def __init__(
        self,
        config: Config,
        engine: SessionEngine,
        connections: OpenConnections,
        engine_failed: Callable[[EngineFailed], None],
    ) -> None:
        """`engine`: built from `config`, and not started; `engine_failed` is called if it dies."""
        self.engine = engine
        self.resolver = Resolver(
            engine,
            [str(server) for server in config.interface.dns],
            ipv6=any(address.version == 6 for address in config.interface.addresses),
        )
        self.connector = Connector(engine, self.resolver, connections, client_policy(config))
        self._endpoints = EndpointKeeper(config, engine)
        journal = TunnelJournal([peer.public_key for peer in config.peers])
        self._handlers: tuple[Handlers, ...] = (
            journal.handlers,
            self._endpoints.handlers,
            {EngineFailed: engine_failed},
            self.connector.handlers,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run until the end of the block.

        Raises:
            TunnelError: the engine cannot start.
        """
        with running(self.engine, *self._handlers), self._endpoints:
            try:
                yield
            finally:
                self.resolver.close()
                self.connector.close()

    def log_counters(self, **more: int) -> None:
        """Log what was counted since the start, and `more`."""
        log_counters(
            self.engine,
            connections_prohibited=self.connector.prohibited,
            **self.resolver.counters,
            **more,
        )
