"""A warning where a secret goes into a file that others can read, as ``wg`` gives it."""

from __future__ import annotations

import os
import stat
import sys


def warn_if_readable() -> None:
    """Look at what standard output is and warn on standard error."""
    try:
        mode = os.fstat(sys.stdout.fileno()).st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISREG(mode) and mode & stat.S_IRWXO:
        print("warning: other users can read the file that the key goes into; run `umask 077` first", file=sys.stderr)
