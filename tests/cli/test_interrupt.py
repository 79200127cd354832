"""Ctrl-C before a command is in charge of its own end."""

from awgproxy.cli import INTERRUPTED, app

from .command import awgproxy


def test_an_interrupt_while_starting_ends_without_a_traceback(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "parser", interrupted)
    finished = awgproxy("--version")
    assert finished.returncode == INTERRUPTED
    assert finished.stderr == ""
