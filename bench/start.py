"""What every benchmark asks of the machine before it measures anything."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from interop.counterparts import programs

if TYPE_CHECKING:
    from collections.abc import Container


def can_measure(systems: Container[str]) -> bool:
    """Whether `systems` can be measured here, with their programs built; where not, why not is printed."""
    # Namespaces are removed on the way out, whatever the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if sys.platform != "linux" or os.geteuid() != 0:
        print("the benchmark needs Linux and root: it makes network namespaces", file=sys.stderr)
        return False
    try:
        programs.go_programs()
        if "awgproxy" in systems:
            programs.awgproxy()
    except programs.MissingToolError as missing:
        print(missing, file=sys.stderr)
        return False
    return True
