"""A configuration from its file."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from awgproxy.config.parse import parse
from awgproxy.errors import ConfigError, Problem

if TYPE_CHECKING:
    from awgproxy.config.model import Config

LARGEST_FILE = 1 << 20
"""Bytes. Room for thousands of peers; a larger file is not a configuration."""

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def load(path: str | os.PathLike[str]) -> Config:
    """Read and check a file.

    Raises:
        ConfigError: it cannot be read, is not text, or has anything wrong in it.
    """
    file = os.fspath(path)
    return parse(_text(_content(file), file), file)


def readable_by_others(path: str | os.PathLike[str]) -> Problem | None:
    """A warning where other users of the machine may read a file of secrets."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - takes every kind of path
    except OSError:
        return None
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    file = os.fspath(path)
    return Problem(file, None, None, None, "other users can read its keys", f"run `chmod 600 {file}`")


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as source:  # noqa: PTH123 - a name may hold what Path would normalise away
            content = source.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _refused(file, f"cannot be read: {(error.strerror or str(error)).lower()}", None) from None
    except ValueError:
        raise _refused(file.replace("\0", "?"), "is not a file's name", None) from None
    if len(content) > LARGEST_FILE:
        raise _refused(file, f"is larger than {LARGEST_FILE >> 20} MiB", "give a configuration file")
    return content


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
