"""What the user sees of an error: one line for each thing that is wrong, on standard error, and an exit code.

2: the command or a configuration is wrong. 1: something else went wrong.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from awgproxy.errors import AwgProxyError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = 1
MISUSED = 2


@contextmanager
def ends_in_words() -> Iterator[None]:
    """End the process in words, never in a traceback, unless ``LOG_LEVEL=debug`` asks for one after a defect."""
    try:
        with _flushed():
            yield
    except ConfigError as error:
        _end(MISUSED, *(str(problem) for problem in error.problems))
    except AwgProxyError as error:
        _end(FAILED, str(error))
    except BrokenPipeError:
        _end(FAILED)  # nobody reads
    except OSError as error:
        what = error.strerror or str(error)
        _end(FAILED, f"{error.filename}: {what}" if error.filename is not None else what)
    except Exception as error:
        if os.environ.get("LOG_LEVEL", "").lower() == "debug":
            raise
        kind = type(error).__name__
        _end(FAILED, f"a defect of awgproxy ({kind}); LOG_LEVEL=debug shows where, please report it")


@contextmanager
def _flushed() -> Iterator[None]:
    """Write out what was printed while a failure can still be told; what cannot be written then goes nowhere."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _end(code: int, *lines: str) -> None:
    with suppress(OSError):  # the exit code still tells
        for line in lines:
            print(f"error: {line}", file=sys.stderr)
    raise SystemExit(code)
