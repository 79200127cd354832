"""Starts without what is never used: most of the time until an end is up goes into loading modules.

- pydantic looks for plugins in the metadata of every package that is installed. awgproxy has none.
- structlog loads rich wherever it is installed, to draw tracebacks that awgproxy's log writes as text.
- What is loaded stays, so that looking for garbage among it is in vain.
"""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLUGINS = "pydantic.plugin._loader"


@contextmanager
def starting() -> Iterator[None]:
    """Let nothing load pydantic's plugins, and collect no garbage before `started`, until the end of the block."""
    without = ModuleType(_PLUGINS)
    without.__dict__["get_plugins"] = tuple
    sys.modules.setdefault(_PLUGINS, without)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def load_structlog() -> None:
    """Load structlog; before anything else does."""
    if "rich" in sys.modules:
        return
    # Whoever imports what is None here is told that there is no such module.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def started() -> None:
    """All is loaded, and stays: collect the garbage of what comes from now on."""
    gc.freeze()
    gc.enable()
