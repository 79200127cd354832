"""Ordinary programs of a Linux system, run in a network namespace: whoever is between them must not show."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import time

from interop.counterparts import conversation, ends
from interop.counterparts.processes import Process
from tests.required import require

WEB = 8080
IPERF = 5201
PAGE = 100_000_000
MEASURED = 100_000_000
PATIENCE = 30
BUSY = "the server is busy"


def required(*tools):
    for tool in tools:
        require(shutil.which(tool), f"{tool} is not installed")


@contextlib.contextmanager
def servers(where, folder):
    """A web server with a page, and iperf3's server, at every address of the namespace."""
    content = folder / "web"
    content.mkdir()
    with (content / "page").open("wb") as page:
        page.writelines(conversation.pieces(PAGE))
    web = [sys.executable, "-m", "http.server", str(WEB), "--bind", "::", "--directory", content]
    with (
        Process("web server", web, where.inside) as pages,
        Process("iperf3", ["iperf3", "--server", "--port", str(IPERF)], where.inside) as iperf,
    ):
        pages.wait_until(lambda: ends.listening(pages.pid, WEB), "listening")
        iperf.wait_until(lambda: ends.listening(iperf.pid, IPERF), "listening")
        yield


def ping(where, host):
    where.run(["ping", "-c", "3", "-i", "0.2", "-w", "20", host])


def fetch(where, host, folder, *options):
    """The page with curl, and whether it is whole."""
    got = folder / "got"
    url = f"http://{ends.join(host, WEB)}/page"
    curl = ["curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--output", str(got), *options, url]
    where.run(curl, 70)
    with got.open("rb") as page:
        assert hashlib.file_digest(page, "sha256").hexdigest() == conversation.pattern_digest(PAGE)
    got.unlink()


def measure(where, host, *options, port=IPERF, size=MEASURED):
    """iperf3: most of what it sent has come by the time it ends, which it does with some of it still on the way."""
    iperf = ["iperf3", "--client", host, "--port", str(port), "--bytes", str(size), "--json", *options]
    deadline = time.monotonic() + PATIENCE
    report = json.loads(where.run(iperf, 60))
    while BUSY in report.get("error", "") and time.monotonic() < deadline:  # its server still ends the one before
        time.sleep(0.1)
        report = json.loads(where.run(iperf, 60))
    assert "error" not in report, report["error"]  # with --json its exit code is 0 whatever happens
    assert report["end"]["sum_received"]["bytes"] > size / 2, report["end"]
