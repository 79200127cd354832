"""What the tunnel's life looks like in the log."""

import io
import json

import pytest
import structlog

from awgproxy._native import LogRecord
from awgproxy.observe import log
from awgproxy.session import journal


@pytest.fixture(autouse=True)
def restore():
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_records_of_the_engine_go_where_all_entries_go(monkeypatch, level):
    monkeypatch.setattr(journal, "log", structlog.get_logger())  # one that no other test has used
    stream = io.StringIO()
    log.configure("debug", "json", stream)
    journal.TunnelJournal([]).handlers[LogRecord](LogRecord(level, "limit of open files", {"now": "20000"}))
    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["event"], entry["now"]) == (level, "limit of open files", "20000")
