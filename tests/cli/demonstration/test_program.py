"""A process of the demonstration that does not end when it is asked to."""

import os
import signal
import threading

import pytest

from awgproxy.cli.demonstration import program
from awgproxy.errors import TunnelError
from tests.config.texts import CLIENT


def test_one_that_cannot_be_watched_is_ended(tmp_path, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    watched = program.Program("client", tmp_path / "client.conf")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError), watched:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(watched.pid, 0)


def test_one_that_does_not_end_in_time_is_an_error_in_words_and_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "STOP_SECONDS", 0.1)
    file = tmp_path / "client.conf"
    file.touch(mode=0o600)
    file.write_text(CLIENT.replace("vpn.example.org", "127.0.0.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n")
    with program.Program("client", file) as client:
        client.wait_for("SOCKS5 is ready")
        os.kill(client.pid, signal.SIGSTOP)  # the signal that asks it to end waits now
        with pytest.raises(TunnelError, match=r"the client did not end within 0 s; its log ends with\n"):
            client.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(client.pid, 0)
