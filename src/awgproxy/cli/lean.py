"""Loads what running takes without what it never uses: a third of the time until an end is up goes into loading.

- pydantic looks for plugins in the metadata of every package that is installed. awgproxy has none.
- structlog loads rich wherever it is installed, to draw tracebacks that awgproxy's log writes as text.
"""

from __future__ import annotations

import os
import sys


def load() -> None:
    """Load pydantic and structlog; before anything else does."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import pydantic  # noqa: F401

    if "rich" in sys.modules:
        return
    # Whoever imports what is None here is told that there is no such module.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
