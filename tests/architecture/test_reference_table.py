"""The table of crates/awg-obfuscation/README.md, where the reference's code is here: every file and name exists."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.required import require

ROOT = Path(__file__).parents[2]
CRATE = ROOT / "crates" / "awg-obfuscation"

CODE = re.compile(r"`([^`]+)`")
FILE = re.compile(r"[\w/-]+\.(go|rs|md)")


def table() -> list[tuple[str, str]]:
    readme = (CRATE / "README.md").read_text()
    section = readme.split("## Reference and here")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [(there, here) for there, here in rows[1:]]


def named(cell: str) -> list[tuple[str, str | None]]:
    """Each file of a cell with each name that stands behind it, or with ``None`` where none does."""
    found: list[tuple[str, str | None]] = []
    file = None
    for code in CODE.findall(cell):
        if FILE.fullmatch(code):
            file = code
            found.append((file, None))
        elif file is not None:
            found.append((file, code))
    return found


@cache
def reference() -> Path:
    require(shutil.which("go"), "Go is not installed (see https://go.dev/dl)")
    command = ["go", "mod", "download", "-json", "github.com/amnezia-vpn/amneziawg-go"]
    answer = subprocess.run(command, cwd=ROOT / "interop", check=True, capture_output=True, text=True).stdout
    directory = re.search(r'"Dir": "([^"]+)"', answer)
    assert directory is not None, answer
    return Path(directory[1])


def is_there(path: Path, name: str | None) -> bool:
    if name is None or not path.is_file():
        return path.is_file()
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", path.read_text()) is not None


def missing(root: Path, cell: str) -> list[tuple[str, str | None]]:
    return [(file, name) for file, name in named(cell) if not is_there(root / file, name)]


def test_the_table_is_read():
    assert len(table()) > 20
    assert all(named(there) for there, _ in table())


def test_what_is_not_there_is_missed():
    assert missing(CRATE / "src", "`range.rs`: `draw`, `drawing`; `ranged.rs`") == [
        ("range.rs", "drawing"),
        ("ranged.rs", None),
    ]


@pytest.mark.parametrize("here", [here for _, here in table() if not here.startswith("nothing")])
def test_what_the_table_names_here_exists(here):
    assert named(here)
    assert missing(CRATE / "src", here) == []


@pytest.mark.parametrize("there", [there for there, _ in table()])
def test_what_the_table_names_of_the_reference_exists(there):
    assert missing(reference(), there) == []


def test_every_source_file_has_its_place():
    text = (CRATE / "README.md").read_text().split("## Reference and here")[1].split("\n## ")[0]
    sources = {str(path.relative_to(CRATE / "src")) for path in (CRATE / "src").rglob("*.rs")}
    named_files = {code for code in CODE.findall(text) if FILE.fullmatch(code)}
    unnamed = {
        path
        for path in sources - named_files
        if Path(path).name not in {"tests.rs", "lib.rs", "error.rs", "argument.rs"}
    }
    assert unnamed == set()
