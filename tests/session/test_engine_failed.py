"""A session whose engine meets a defect ends, and says so, instead of standing there without it."""

import os

import pytest

from awgproxy._native import Engine, EngineFailed
from awgproxy.config.parse import parse
from awgproxy.errors import TunnelError
from awgproxy.session import client, server
from tests.config.texts import CLIENT, SERVER


class FailingEngine:
    """An engine that says at once that it failed."""

    def __init__(self, settings):
        self._engine = Engine(settings)
        self._readable, writable = os.pipe()
        os.close(writable)  # readable for ever

    def event_fd(self):
        return self._readable

    def take_events(self):
        return [EngineFailed("index out of bounds")]

    def start(self):
        """Nothing is bound."""

    def local_port(self):
        return 1

    def stop(self):
        os.close(self._readable)


CLIENT_BY_ADDRESS = CLIENT.replace("vpn.example.org", "192.0.2.1") + "[Socks5]\nBindAddress = 127.0.0.1:0\n"


@pytest.mark.parametrize(("session", "text"), [(client, CLIENT_BY_ADDRESS), (server, SERVER)])
async def test_a_failed_engine_ends_the_session(monkeypatch, session, text):
    monkeypatch.setattr(session, "Engine", FailingEngine)
    with pytest.raises(TunnelError, match="index out of bounds"):
        await session.run(parse(text, "x.conf"))
