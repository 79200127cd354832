"""A small file that a session remembers something in: its owner's alone, and replaced as a whole or not at all.

What it holds is JSON that begins in a way of its own, by which a file of somebody else's is known, and left as it is.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 4 << 20
"""Bytes: room for more peers than a configuration has."""

OWNER_ONLY = 0o600


class StateFile:
    """One file; what goes wrong with it is told as OSError."""

    def __init__(self, path: Path, beginning: bytes) -> None:
        """`beginning`: how every text begins that is written here."""
        self.path = path
        self._beginning = beginning

    def read(self) -> bytes:
        """What is in it; nothing where it is no file or too large, so that a pipe is not waited for.

        Raises:
            OSError: it cannot be read; FileNotFoundError where it is not there.
        """
        with os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:
            status = os.fstat(source.fileno())
            usable = stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_FILE
            return source.read(LARGEST_FILE) if usable else b""

    def replace(self, text: str) -> None:
        """Give it new content: all of it or none, also if the power fails meanwhile.

        Raises:
            OSError: it cannot be written, is a device, a pipe or a folder, or holds something else than is written
                here; what it held before is still there.
        """
        if self.path.exists():
            if not self.path.is_file():
                raise OSError("it is not a file")  # root could replace /dev/null
            with self.path.open("rb") as there:
                if there.read(len(self._beginning)) not in (b"", self._beginning):
                    raise OSError("it is not a state file, and is left as it is")
        new = self.path.with_name(f"{self.path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        flags |= os.O_NONBLOCK  # where there is a pipe it is not waited for
        try:
            with os.fdopen(os.open(new, flags, OWNER_ONLY), "w", encoding="ascii") as output:
                os.fchmod(output.fileno(), OWNER_ONLY)  # one that was left behind may have another mode
                output.write(text)
                output.flush()
                os.fsync(output.fileno())
            new.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        with contextlib.suppress(OSError):  # a system that cannot do it for folders
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
