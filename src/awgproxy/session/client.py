"""A running client: applications and port forwards on one side, the tunnel on the other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from awgproxy.config.values import Endpoint
from awgproxy.errors import AwgProxyError
from awgproxy.observe.uncaught import log_uncaught
from awgproxy.session.engine import client_engine
from awgproxy.session.forwards import Forwards
from awgproxy.session.forwards.standard_streams import carry
from awgproxy.session.forwards.streams import destination_of
from awgproxy.session.lifetime import Lifetime
from awgproxy.session.listeners import counters, listeners
from awgproxy.session.tunnel import ClientTunnel

if TYPE_CHECKING:
    from awgproxy.config import Config
    from awgproxy.config.model import STDIOTunnel
    from awgproxy.session.engine import SessionEngine

log = structlog.get_logger()


async def run(config: Config) -> None:
    """Serve applications until a signal ends it.

    Raises:
        ConfigError: the engine refuses the configuration.
        ListenError: a port for applications cannot be listened on.
        TunnelError: the tunnel's own port cannot be had, or the engine failed.
    """
    log_uncaught()
    engine = client_engine(config, exposes=len(config.tcp_server_tunnels) > 0)
    with Lifetime() as lifetime:
        await ClientSession(config, engine, lifetime).run()


class ClientSession:
    """One client from start to end."""

    def __init__(self, config: Config, engine: SessionEngine, lifetime: Lifetime) -> None:
        """`engine`: built from `config`, and not started."""
        self._lifetime = lifetime
        self._engine = engine
        self._tunnel = ClientTunnel(config, engine, lifetime.connections, lifetime.engine_failed)
        self._stdio = config.stdio_tunnel
        self._forwards = Forwards(config, self._tunnel, lifetime.connections)
        self._tunnel.hear(self._forwards.handlers)
        self._listeners = listeners(
            config, self._tunnel.connector.connect, self._tunnel.associations.open, lifetime.connections
        )

    async def run(self) -> None:
        """Start, serve until the end is asked for, drain, stop."""
        try:
            for listener in self._listeners.values():
                listener.start()
            self._forwards.start()
            with self._tunnel.running():
                await self._serve()
        finally:
            self._stop_listening()
        self._tunnel.log_counters(**counters(self._listeners.values()), **self._forwards.counters)
        log.info("stopped")

    async def _serve(self) -> None:
        for protocol, listener in self._listeners.items():
            log.info(f"{protocol} is ready", address=str(Endpoint(*listener.address)))
        self._forwards.log_ready()
        with contextlib.ExitStack() as ending:
            if self._stdio is not None:
                carrying = asyncio.get_running_loop().create_task(self._carry(self._stdio))
                ending.callback(carrying.cancel)
            await self._lifetime.until_stopped()
        log.info("stopping")
        self._stop_listening()
        self._engine.drain()
        await self._lifetime.drain()

    def _stop_listening(self) -> None:
        for listener in self._listeners.values():
            listener.stop()
        self._forwards.stop()

    async def _carry(self, stdio: STDIOTunnel) -> None:
        """The program is for this connection, and ends with it."""
        try:
            await carry(self._tunnel.outbound, destination_of(stdio.target))
        except AwgProxyError as error:
            self._lifetime.fail(error)
        else:
            self._lifetime.hang_up()
