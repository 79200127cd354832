"""A running client: applications on one side, the tunnel on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from awgproxy.config.values import Endpoint
from awgproxy.observe.uncaught import log_uncaught
from awgproxy.proxy.listener import Listener
from awgproxy.proxy.socks5 import Negotiation
from awgproxy.proxy.users import Users
from awgproxy.session.engine import client_engine
from awgproxy.session.lifetime import Lifetime
from awgproxy.session.tunnel import ClientTunnel

if TYPE_CHECKING:
    from awgproxy.config import Config
    from awgproxy.session.engine import SessionEngine

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
        self._lifetime = lifetime
        self._engine = engine
        self._tunnel = ClientTunnel(config, engine, lifetime.connections, lifetime.engine_failed)
        socks5 = config.socks5
        users = Users((user.name, user.password.get_secret_value()) for user in socks5.users)
        self._listener = Listener(
            socks5.bind_address.host,
            socks5.bind_address.port,
            lambda _: Negotiation(authenticate=len(users) > 0),
            users,
            self._tunnel.connector.connect,
        )

    async def run(self) -> None:
        """Start, serve until the end is asked for, drain, stop."""
        self._listener.start()
        try:
            with self._tunnel.running():
                await self._serve()
        finally:
            self._listener.stop()
        listener = self._listener
        self._tunnel.log_counters(
            applications=listener.accepted, refused=listener.refused, wrong_passwords=listener.mistakes
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
