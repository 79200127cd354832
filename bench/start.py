"""What every benchmark asks of the machine before it measures anything."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

from bench.systems import OURS
from interop.counterparts import programs

if TYPE_CHECKING:
    from collections.abc import Iterable

OPEN_FILES = 100_000
"""Enough for ten thousand connections in every process; where it may not be, a measure that needs it says so."""


def can_measure(systems: Iterable[str]) -> bool:
    """Whether `systems` can be measured here, with their programs built; where not, why not is printed."""
    # Namespaces are removed on the way out, whatever the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.platform != "linux" or os.geteuid() != 0:
        print("the benchmark needs Linux and root: it makes network namespaces", file=sys.stderr)
        return False
    # What is measured starts as it does for users, whose Python keeps what it compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    try:
        programs.go_programs()
        if OURS.intersection(systems):
            programs.awgproxy()
    except programs.MissingToolError as missing:
        print(missing, file=sys.stderr)
        return False
    return True
