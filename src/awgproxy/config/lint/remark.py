"""A finding of a rule, before it has its line."""

from __future__ import annotations

from typing import NamedTuple


class Remark(NamedTuple):
    """``section`` and ``item`` as `Config.lines` has them: an item of a list is counted from 0.

    ``grave``: it will not work as it should, which is more than a warning.
    """

    section: str
    key: str
    message: str
    suggestion: str | None = None
    item: int | None = None
    grave: bool = False
