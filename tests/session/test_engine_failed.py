"""A program whose engine meets a defect ends, and says so, instead of standing there without it."""

import json

import pytest

from awgproxy._native import EngineFailed
from awgproxy.session import client, server
from tests.cli.command import awgproxy
from tests.config.texts import CLIENT, SERVER
from tests.memory import MemoryEngine

CLIENT_BY_ADDRESS = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n"


class FailingEngine(MemoryEngine):
    """Fails as soon as it runs."""

    def start(self):
        super().start()
        self.tell(EngineFailed("index out of bounds"))


@pytest.mark.parametrize(
    ("command", "module", "text"), [("client", client, CLIENT_BY_ADDRESS), ("server", server, SERVER)]
)
def test_a_failed_engine_ends_the_program_with_a_log_entry_and_an_exit_code(
    monkeypatch, tmp_path, command, module, text
):
    made = []
    monkeypatch.setattr(module, f"{command}_engine", lambda *_: made.append(FailingEngine()) or made[0])
    file = tmp_path / "x.conf"
    file.write_text(text)
    finished = awgproxy(command, file, "--log-format", "json")
    *entries, last = finished.stderr.splitlines()
    assert finished.returncode == 1
    assert last.startswith("error: a defect of awgproxy ended the tunnel")
    (entry,) = [entry for entry in map(json.loads, entries) if entry["event"] == "the engine failed"]
    assert (entry["level"], entry["reason"]) == ("error", "index out of bounds")
    assert made[0].state == "stopped"
    made[0].close()
