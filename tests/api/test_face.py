"""What ``import awgproxy`` gives, and what it costs; where an embedding program finds the log."""

import logging
import subprocess
import sys

import pytest
import structlog

import awgproxy
from awgproxy.observe.embedded import log_to_logging


def loaded_by(statement):
    """The modules that a fresh interpreter has after `statement`, beyond those that it has anyway."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_import_loads_next_to_nothing():
    assert {name for name in loaded_by("import awgproxy") if "awgproxy" in name} == {"awgproxy"}
    assert not loaded_by("import awgproxy") & {"asyncio", "pydantic", "structlog", "httpx", "ssl"}


def test_the_command_line_loads_nothing_of_it():
    assert not {name for name in loaded_by("import awgproxy.cli.app") if name.startswith(("awgproxy.api", "httpx"))}


def test_a_client_loads_neither_dns_nor_http_before_it_is_asked_for_them():
    loaded = loaded_by("import awgproxy.cli.app, awgproxy.session.client")
    assert not {name for name in loaded if name.partition(".")[0] in {"dns", "h11"}}


def test_public_names_are_there_when_they_are_asked_for():
    assert set(awgproxy.__all__) <= set(dir(awgproxy))
    assert awgproxy.errors.TunnelDown
    assert awgproxy.Tunnel.__module__ == "awgproxy.api.tunnel"
    with pytest.raises(AttributeError, match="no attribute 'Tunnels'"):
        _ = awgproxy.Tunnels


def test_the_log_goes_to_logging_unless_the_program_has_set_structlog_up(caplog, capsys):
    with caplog.at_level(logging.INFO):
        log_to_logging()
        structlog.get_logger("awgproxy.test").info("tunnel up", peer="peer 1")
        structlog.get_logger("awgproxy.test").debug("not asked for")
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("awgproxy.test", "event='tunnel up' peer='peer 1'")
    assert capsys.readouterr().out == ""
    structlog.configure(processors=[structlog.testing.LogCapture()])
    log_to_logging()
    assert isinstance(structlog.get_config()["processors"][0], structlog.testing.LogCapture)
