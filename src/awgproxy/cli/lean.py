"""Starts without what is never used: most of the time until an end is up goes into loading modules.

- pydantic looks for plugins in the metadata of every package that is installed. awgproxy has none. The module that
  looks is not public: a pydantic that wants more of it than the plugins gets it as it is, and starts later.
- structlog loads rich wherever it is installed, to draw tracebacks that awgproxy's log writes as text.
- What is loaded stays, so that looking for garbage among it is in vain.
"""

from __future__ import annotations

import gc
import importlib
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
    without.__dict__.update(get_plugins=lambda *_, **__: (), __getattr__=_of_the_module_itself)
    sys.modules.setdefault(_PLUGINS, without)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _of_the_module_itself(name: str) -> object:
    """What else is wanted of the module that something stands for here; it takes its own place again."""
    if name.startswith("__"):  # whoever imports looks for such in anything
        raise AttributeError(name)
    sys.modules.pop(_PLUGINS, None)
    return getattr(importlib.import_module(_PLUGINS), name)


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
