"""Where the log goes in a program that only embeds the tunnel: to Python's own `logging`, below the name `awgproxy`.

A program that has set structlog up keeps what it set up.
"""

from __future__ import annotations

import structlog


def log_to_logging() -> None:
    """Send entries to `logging` unless structlog is configured already."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
