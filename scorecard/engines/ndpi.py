"""nDPI as Debian packages it: `ndpiReader`, without guesses by port and address."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "libndpi-bin"


def version() -> str:
    """As the program says it. Raises OSError."""
    help_text = subprocess.run(["ndpiReader", "-h"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"nDPI (\d[\w.]*)", help_text)
    return found[1] if found else "of unknown version"


def labels(capture: Path, ports: Iterable[int]) -> dict[int, set[str]]:
    """What each flow was called; a flow that rested is several to nDPI. Raises OSError, CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "flows.csv"
        command = ["ndpiReader", "-d", "-q", "-i", str(capture), "-C", str(table)]
        subprocess.run(command, check=True, capture_output=True)
        return read(table.read_text(errors="replace"), ports)


def read(table: str, ports: Iterable[int]) -> dict[int, set[str]]:
    """The labels in its table, by the port in `ports` that a flow has at either end."""
    found: dict[int, set[str]] = {port: set() for port in ports}
    rows = csv.DictReader(io.StringIO(table.lstrip("#")))
    for row in rows:
        for end in ("src_port", "dst_port"):
            if (port := int(row[end])) in found:
                found[port].add(row["ndpi_proto"])
    return found
