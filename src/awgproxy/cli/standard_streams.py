"""Standard streams as whoever started us left them: closed ones, and ones that cannot hold every character."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

_INPUT, _OUTPUT, _ERROR = range(3)
_ESCAPED = "backslashreplace"


def replace_closed() -> None:
    """Give each closed standard descriptor something that does no harm, before a socket or a file gets its number.

    Else what is printed would go into whatever has the descriptor. Input is at its end, and what goes to standard error
    is lost. Standard output refuses what is written, so that a result is not lost in silence.
    """
    for descriptor, flags in ((_INPUT, os.O_RDONLY), (_OUTPUT, os.O_RDONLY), (_ERROR, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free, hence this one
    if sys.stdin is None:
        sys.stdin = _stream(_INPUT, "r")
    if sys.stdout is None:
        sys.stdout = _stream(_OUTPUT, "w")
    if sys.stderr is None:
        sys.stderr = _stream(_ERROR, "w")


def escape_what_cannot_be_encoded() -> None:
    """Let a character that a terminal's encoding lacks be printed as its escape, as Python does on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ESCAPED)


def _stream(descriptor: int, mode: str) -> TextIO:
    return io.TextIOWrapper(io.FileIO(descriptor, mode, closefd=False), errors=_ESCAPED, line_buffering=True)
