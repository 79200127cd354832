"""New files of secrets: all of them or none, never over one that exists, readable by their owner alone."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

OWNER_ONLY = 0o600


def write_new(files: Mapping[Path, str]) -> None:
    """Create every file with its text, mode 0600.

    Raises:
        OSError: one, its `filename`, exists (`FileExistsError`) or cannot be written; then none of them is left behind.
    """
    with ExitStack() as undo:
        opened = []
        for path in files:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
            undo.callback(path.unlink, missing_ok=True)
            undo.enter_context(_naming(path))  # closing it tries again to write what could not be written
            opened.append(undo.enter_context(os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")))
        for output, (path, text) in zip(opened, files.items(), strict=True):
            with _naming(path):
                output.write(text)
                output.flush()
                os.fsync(output.fileno())
        undo.pop_all()
        for output in opened:
            output.close()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give an error of an open file, which only knows its descriptor, the file's name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
