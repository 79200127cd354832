"""Defects: a program whose engine meets one ends, and says so, instead of standing there without it; others it logs."""

import asyncio
import json

import pytest

from awgproxy._native import EngineFailed
from awgproxy.session import client, server
from tests.cli.command import awgproxy
from tests.config.texts import CLIENT, SERVER
from tests.memory import MemoryEngine
from tests.session.running import named

CLIENT_BY_ADDRESS = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n"


class FailingEngine(MemoryEngine):
    """Fails as soon as it runs."""

    def start(self):
        super().start()
        self.tell(EngineFailed("index out of bounds"))


BOTH = pytest.mark.parametrize(
    ("command", "module", "text"), [("client", client, CLIENT_BY_ADDRESS), ("server", server, SERVER)]
)


class StumblingEngine(FailingEngine):
    """Has something on the event loop fail before it fails itself."""

    def start(self):
        asyncio.get_running_loop().call_soon(self.stumble)
        super().start()

    def stumble(self):
        raise ValueError("nobody expected this")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Give a function that runs a program on an engine of a kind: (finished, its engine)."""
    made = []

    def run(command, module, text, kind):
        monkeypatch.setattr(module, f"{command}_engine", lambda *_, **__: made.append(kind()) or made[0])
        file = tmp_path / "x.conf"
        file.write_text(text)
        return awgproxy(command, file, "--log-format", "json"), made[0]

    yield run
    made[0].close()


@BOTH
def test_a_failed_engine_ends_the_program_with_a_log_entry_and_an_exit_code(run, command, module, text):
    finished, engine = run(command, module, text, FailingEngine)
    *entries, last = finished.stderr.splitlines()
    assert finished.returncode == 1
    assert last.startswith("error: a defect of awgproxy ended the tunnel")
    (entry,) = named(map(json.loads, entries), "the engine failed")
    assert (entry["level"], entry["reason"]) == ("error", "index out of bounds")
    assert engine.state == "stopped"


@BOTH
def test_what_nobody_catches_is_an_entry_of_the_log(run, command, module, text):
    finished, _ = run(command, module, text, StumblingEngine)
    *entries, _ = finished.stderr.splitlines()
    (entry,) = named(map(json.loads, entries), "a defect of awgproxy, please report it")
    assert entry["level"] == "error"
    assert "nobody expected this" in entry["exception"]
