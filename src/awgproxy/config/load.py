"""A configuration from its file."""

from __future__ import annotations

import dataclasses
import os
import stat
from typing import TYPE_CHECKING

from awgproxy.config.parse import parse
from awgproxy.errors import ConfigError, Problem

if TYPE_CHECKING:
    from awgproxy.config.model import Config, Role

LARGEST_FILE = 8 << 20
"""Bytes. Room for tens of thousands of peers; a larger file is not a configuration."""

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def load(path: str | os.PathLike[str], role: Role | None = None) -> Config:
    """Read and check a file; ``role`` as in `parse`. That other users of the machine may read it is a warning.

    Raises:
        ConfigError: it cannot be read, is not text, has anything wrong in it, or lacks what the role needs.
    """
    file = os.fspath(path)
    content, mode = _content(file)
    config = parse(_text(content, file), file, role)
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return config
    exposed = Problem(file, None, None, None, "other users can read its keys", f"run `chmod 600 {file}`")
    return dataclasses.replace(config, warnings=(exposed, *config.warnings))


def _content(file: str) -> tuple[bytes, int]:
    """What is in a file, and its mode."""
    try:
        with open(file, "rb") as source:  # noqa: PTH123 - a name may hold what Path would normalise away
            content, mode = source.read(LARGEST_FILE + 1), os.fstat(source.fileno()).st_mode
    except OSError as error:
        raise _refused(file, f"cannot be read: {(error.strerror or str(error)).lower()}", None) from None
    except ValueError:
        raise _refused(file.replace("\0", "?"), "is not a file's name", None) from None
    if len(content) > LARGEST_FILE:
        raise _refused(file, f"is larger than {LARGEST_FILE >> 20} MiB", "give a configuration file")
    return content, mode


def _text(content: bytes, file: str) -> str:
    if content.startswith(_UTF16_MARKS):
        raise _refused(file, "is UTF-16 text", "save it as UTF-8")
    content = content.removeprefix(_UTF8_MARK)
    if b"\0" in content:
        raise _refused(
            file,
            "is binary: it holds a zero byte",
            "give a configuration file",
            content.index(b"\0"),
            content,
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _refused(file, "is not UTF-8 text", "save it as UTF-8", error.start, content) from None


def _refused(
    file: str, message: str, suggestion: str | None, position: int | None = None, content: bytes = b""
) -> ConfigError:
    line = None if position is None else content.count(b"\n", 0, position) + 1
    return ConfigError([Problem(file, line, None, None, message, suggestion)])
