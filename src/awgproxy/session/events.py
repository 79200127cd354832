"""The engine's events on asyncio: one readiness callback takes a batch and hands each event to its handler."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from awgproxy.session.engine import SessionEngine

log = structlog.get_logger()

Handlers = Mapping[type, Callable[[Any], None]]


class EventPump:
    """Delivers the events of one engine on the running event loop, in order."""

    def __init__(self, engine: SessionEngine, handlers: Handlers) -> None:
        """`handlers`: what to call for each type of event; a type without a handler is passed over."""
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
            handler = self._handlers.get(type(event))
            if handler is None:
                continue
            try:
                handler(event)
            except Exception:
                log.exception("an event could not be handled", kind=type(event).__name__)
