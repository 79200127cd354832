"""The package's floors: what imports what, and who touches the engine (ARCHITECTURE.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from awgproxy import _native

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "awgproxy"

PURE = {
    *("check_key", "generate_preshared_key", "generate_private_key", "public_key"),
    *("check_obfuscation", "largest_inner_packet", "message_type", "obfuscation_warnings"),
    *("EgressPolicy", "path_mtu"),
}
"""What needs no engine."""

WORDS = {"proxy": {"Replies"}, "egress": {"_Rejection"}}
"""By package, what it says to the engine by way of a session."""


def test_import_linter_finds_every_contract_kept():
    tool = Path(sys.executable).with_name("lint-imports")
    finished = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    assert " 0 broken" in finished.stdout


def used_of_the_extension(source: str) -> set[str]:
    """The names of `_native` that a module's text uses."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "awgproxy._native":
            used |= {name.name for name in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "_native":
            used.add(node.attr)
    return used


def test_what_is_used_is_found():
    source = "from awgproxy._native import Engine\nfrom awgproxy import _native\n_native.Limits(_native.path_mtu)\n"
    assert used_of_the_extension(source) == {"Engine", "Limits", "path_mtu"}
    assert set(dir(_native)) >= PURE


@pytest.mark.parametrize(
    "module",
    [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "session"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_only_sessions_touch_the_engine(module):
    words = WORDS.get(module.relative_to(PACKAGE).parts[0], set())
    assert used_of_the_extension(module.read_text()) <= PURE | words


@pytest.mark.parametrize(
    "module",
    [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "cli"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_only_the_command_line_prints_or_exits(module):
    calls = [node.func for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    called = {ast.unparse(function) for function in calls}
    assert not called & {"print", "exit", "quit", "sys.exit", "os._exit", "SystemExit"}
