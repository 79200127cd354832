"""The text of a configuration: sections of ``Key = value`` lines, each with its line number.

Knows nothing of what a key means. A comment begins with ``#`` or ``;`` at the start of a line or after white space; the
white space around names and values does not count, and a line may end in CR LF. A line that begins with ``#@`` is a
setting that other programs take for a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awgproxy.config.findings import Findings

_COMMENT = re.compile(r"(?:^|\s)[#;].*$")
_OURS_ALONE = "#@"
"""Begins a line that is awgproxy's alone: programs that refuse keys which they do not know pass over it."""
_HEADER = re.compile(r"\[([^\[\]]*)\]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One ``key = value`` line. It has no ``repr``, since the value may be a secret."""

    key: str
    value: str
    line: int


@dataclass(frozen=True, slots=True, repr=False)
class Section:
    """One ``[name]`` and the entries below it, in the order of the file."""

    name: str
    line: int
    entries: list[Entry]


def read_document(text: str, findings: Findings) -> list[Section]:
    """Split ``text`` into sections. Lines that do not fit are left out, and are errors in ``findings``."""
    sections: list[Section] = []
    lost = False  # below a header that could not be read

    def problem(line: int, message: str, suggestion: str) -> None:
        findings.error(line, None, None, message, suggestion)

    for number, raw in enumerate(text.split("\n"), 1):
        written = raw.removesuffix("\r").strip()
        ours_alone = written.startswith(_OURS_ALONE)
        line = _COMMENT.sub("", written.removeprefix(_OURS_ALONE)).strip()
        if not line and not ours_alone:
            continue
        if _CONTROL.search(line):
            problem(number, "a control character", "write plain text, one `Key = value` on a line")
        elif ours_alone and (line.startswith("[") or "=" not in line):
            suggestion = "write `#@ Key = value` below a section's own line, or begin a comment with # and a space"
            problem(number, "begins with #@, and is no setting", suggestion)
        elif line.startswith("["):
            found = _HEADER.fullmatch(line)
            lost = found is None
            if found is None:
                problem(number, "not a section's name", "write it as `[Interface]`, alone on its line")
            else:
                sections.append(Section(found[1].strip(), number, []))
        elif "=" not in line:
            problem(number, "neither a section nor a setting", "write `Key = value`, or begin a comment with #")
        elif not lost:
            key, value = (part.strip() for part in line.split("=", 1))
            if not sections:
                problem(number, "a setting before any section", "begin with `[Interface]`")
            elif not key:
                problem(number, "a value without a key", "write `Key = value`")
            else:
                sections[-1].entries.append(Entry(key, value, number))
    return sections
