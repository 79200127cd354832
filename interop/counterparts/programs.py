"""Builds the programs beside awgproxy once: those of other authors, into `interop/bin`, and the link that joins them.

The Go programs are rebuilt whenever asked for (the Go tool finds out by itself that nothing changed);
the others come from their registries at pinned versions, with lock files, and are kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEROP = Path(__file__).resolve().parents[1]
ROOT = INTEROP.parent
BINARIES = INTEROP / "bin"
BORINGTUN = "0.7.1"
SHADOWSOCKS = "1.25.0"
SING_BOX = "1.14.1"
"""As `sing-box/go.mod` has it."""


class MissingToolError(Exception):
    """A tool that builds counterparts is not installed; the text is one line that names it and where to get it."""


def _tool(name: str, source: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MissingToolError(f"{name} is not installed (see {source})")
    return path


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold up other processes that build: what one of them runs already cannot be written over."""
    BINARIES.mkdir(exist_ok=True)
    with (BINARIES / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def go_programs() -> Path:
    """Build `interop/cmd/*` and return their folder.

    Raises MissingToolError without Go, or with one that is older than go.mod asks for and may not fetch a newer one;
    CalledProcessError (with the compiler's words) where it does not build.
    """
    go = _tool("go", "https://go.dev/dl")
    asked = subprocess.run([go, "list", "-m"], cwd=INTEROP, check=False, capture_output=True, text=True)
    if asked.returncode:
        raise MissingToolError(f"Go cannot be used (see https://go.dev/dl): {' '.join(asked.stderr.split())}")
    with _alone():
        subprocess.run([go, "build", "-trimpath", "-o", f"{BINARIES}/", "./cmd/..."], cwd=INTEROP, check=True)
    return BINARIES


@functools.cache
def sing_box() -> Path:
    """Build `sing-box`, with QUIC, and return its path. Raises as `go_programs`."""
    program = BINARIES / f"sing-box-{SING_BOX}"
    with _alone():
        if not program.exists():
            build = ["build", "-trimpath", "-tags", "with_quic,with_gvisor", "-ldflags", "-s -w", "-o", str(program)]
            go = _tool("go", "https://go.dev/dl")
            source = "github.com/sagernet/sing-box/cmd/sing-box"
            subprocess.run([go, *build, source], cwd=INTEROP / "sing-box", check=True)
    return program


@functools.cache
def boringtun() -> Path:
    """Install `boringtun-cli` and return its path. Raises as `go_programs`."""
    return _crate("boringtun-cli", BORINGTUN) / "boringtun-cli"


@functools.cache
def shadowsocks() -> Path:
    """Install `sslocal` and `ssserver` with what a proxy needs, and return their folder. Raises as `go_programs`."""
    features = ["--no-default-features", "--features", "local,server,multi-threaded,aead-cipher"]
    return _crate("shadowsocks-rust", SHADOWSOCKS, *features)


def _crate(name: str, version: str, *options: str) -> Path:
    """Install the programs of a crate and return their folder."""
    folder = BINARIES / f"{name}-{version}"
    with _alone():
        if not (folder / "bin").exists():
            cargo = _tool("cargo", "https://rustup.rs")
            install = ["install", name, "--version", version, "--locked", "--root", str(folder), *options]
            subprocess.run([cargo, *install, "--target-dir", str(folder / "target")], cwd=INTEROP, check=True)
            shutil.rmtree(folder / "target")
    return folder / "bin"


@functools.cache
def link() -> Path:
    """Build `awg-link` (bench/link) and return its path. Raises as `go_programs`."""
    cargo = _tool("cargo", "https://rustup.rs")
    with _alone():
        subprocess.run(
            [cargo, "build", "--quiet", "--release", "--locked", "--package", "awg-link"], cwd=ROOT, check=True
        )
    return ROOT / "target" / "release" / "awg-link"


def awgproxy() -> Path:
    """Return the command line program as `make` installs it. Raises MissingToolError where it is not installed."""
    program = ROOT / ".venv" / "bin" / "awgproxy"
    if not program.exists():
        raise MissingToolError("awgproxy is not installed in .venv (run `make test` or `make bench`)")
    return program
