"""The crates' floors: each may depend on the ones listed here and on no other of ours (ARCHITECTURE.md)."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.required import require

ROOT = Path(__file__).parents[2]

ALLOWED = {
    "awg-obfuscation": set(),
    "awg-netstack": set(),
    "awg-tunnel": {"awg-obfuscation"},
    "awg-engine": {"awg-netstack", "awg-obfuscation", "awg-tunnel"},
    "awg-python": {"awg-engine", "awg-obfuscation", "awg-tunnel"},
    "awg-parity": {"awg-obfuscation", "awg-tunnel"},
    "awg-boringtun": {"awg-obfuscation"},
    "awg-link": set(),
    "awg-fuzz": {"awg-netstack", "awg-obfuscation", "awg-parity", "awg-tunnel"},
}

TESTS_ONLY = {"tests", "tests.rs", "recording.rs"}
"""Files and folders of a crate's sources that only its tests compile."""

IMPURE = (
    *("Instant::now", "SystemTime::now", "std::thread"),
    *("UdpSocket", "TcpStream", "TcpListener"),
    *("SysRng", "rand::rng()", "OsRng"),
)

FORBIDDEN_OUTSIDE = {
    "awg-obfuscation": {"snow", "mio", "socket2", "libc", "pyo3", "smoltcp", "getrandom"},
    "awg-netstack": {"snow", "ring", "mio", "socket2", "quinn-udp", "pyo3"},
    "awg-tunnel": {"mio", "socket2", "quinn-udp", "smoltcp", "pyo3"},
    "awg-engine": {"pyo3"},
}


@pytest.fixture(scope="module")
def dependencies() -> dict[str, set[str]]:
    require(shutil.which("cargo"), "cargo is not installed")
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return {
        package["name"]: {dependency["name"] for dependency in package["dependencies"] if dependency["kind"] is None}
        for package in json.loads(metadata)["packages"]
    }


def test_the_workspace_has_exactly_the_crates_of_the_table(dependencies):
    assert dependencies.keys() == ALLOWED.keys()


@pytest.mark.parametrize("crate", ALLOWED)
def test_a_crate_uses_only_lower_floors(dependencies, crate):
    ours = {name for name in dependencies[crate] if name.startswith("awg-")}
    assert ours <= ALLOWED[crate]


@pytest.mark.parametrize("crate", FORBIDDEN_OUTSIDE)
def test_a_crate_does_not_know_what_it_must_not(dependencies, crate):
    assert not dependencies[crate] & FORBIDDEN_OUTSIDE[crate]


@pytest.mark.parametrize("crate", ["awg-obfuscation", "awg-netstack", "awg-tunnel"])
def test_sans_io_crates_read_no_clock_open_no_socket_and_draw_nothing(crate):
    lines = (
        (source.relative_to(ROOT), line)
        for source in (ROOT / "crates" / crate / "src").rglob("*.rs")
        if not TESTS_ONLY & {*source.parts}
        for line in source.read_text().splitlines()
        if not line.lstrip().startswith("//")
    )
    assert not [(str(source), word) for source, line in lines for word in IMPURE if word in line]
