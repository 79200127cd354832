"""The engine's events on asyncio: one readiness callback takes a batch and hands each event to its handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from awgproxy.session.engine import SessionEngine

log = structlog.get_logger()

Handlers = Mapping[type, Callable[[Any], None]]
"""What to call for each type of event; a type that is not in it is passed over."""


class EventPump:
    """Delivers the events of one engine on the running event loop, in order."""

    def __init__(self, engine: SessionEngine, *handlers: Handlers) -> None:
        """`handlers`: whose each hears of an event, in this order, whatever becomes of the others."""
        self._engine = engine
        self._handlers = handlers

    def start(self) -> None:
        """Begin to deliver; the engine must have started."""
        asyncio.get_running_loop().add_reader(self._engine.event_fd(), self._deliver)

    def stop(self) -> None:
        """Deliver what is there and no more after it; to be called before the engine's `stop`."""
        asyncio.get_running_loop().remove_reader(self._engine.event_fd())
        self._deliver()

    def _deliver(self) -> None:
        for event in self._engine.take_events():
            for handlers in self._handlers:
                handler = handlers.get(type(event))
                if handler is None:
                    continue
                try:
                    handler(event)
                except Exception:
                    log.exception("an event could not be handled", kind=type(event).__name__)
