"""The example programs of docs/python, run as they are against a real server."""

import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / "docs" / "python"


@pytest.fixture
def site(world):
    """The port of a web site beside the other targets, which go by target.test."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_):
            pass

    with world.inside():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def alone(world):
    """The tunnel's key is for one end at a time, so the client of the other tests rests."""
    world.client.stop()
    yield
    world.start_client()


def run(world, program, *arguments):
    command = [*world.namespace.inside, sys.executable, PROGRAMS / program, world.folder / "client.conf", *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)


def test_the_examples_do_what_they_say(world, alone, site):
    fetched = run(world, "fetch.py", "four.test", site)
    assert fetched.stderr == ""
    assert fetched.stdout.endswith("hello")
    missing = run(world, "fetch.py", "none.test", site)
    assert missing.returncode == 1
    assert "error: there is no such name" in missing.stderr
    refused = run(world, "fetch.py", "127.0.0.1", 9)
    assert "the target refused the connection" in refused.stderr

    asked = run(world, "ask_dns.py", "127.0.0.53", "four.test")
    assert "four.test. 60 IN A 127.0.0.1" in asked.stdout

    pages = run(world, "httpx_pages.py", f"http://four.test:{site}/", f"http://none.test:{site}/")
    assert f"200 5 http://four.test:{site}/" in pages.stdout
    assert f"failed: http://none.test:{site}/" in pages.stdout
