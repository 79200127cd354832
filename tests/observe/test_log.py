"""Logs: one JSON object a line off a terminal, levels kept, a broken output survived."""

import io
import json
import os

import pytest
import structlog

from awgproxy.config.model import LogFormat, LogLevel
from awgproxy.observe import log
from awgproxy.observe.flood import BURST


def test_json_off_a_terminal():
    stream = io.StringIO()
    log.configure(stream=stream)
    structlog.get_logger().info("tunnel up", session="abc")
    entry = json.loads(stream.getvalue())
    assert entry["event"] == "tunnel up"
    assert entry["level"] == "info"
    assert entry["session"] == "abc"
    assert entry["timestamp"].endswith("Z")


def test_lines_for_people_on_request():
    stream = io.StringIO()
    log.configure(form=LogFormat.CONSOLE, stream=stream)
    structlog.get_logger().warning("port in use", port=1080)
    assert "port in use" in stream.getvalue()
    assert "port=1080" in stream.getvalue()


@pytest.mark.parametrize(("level", "written"), [(LogLevel.DEBUG, 2), (LogLevel.INFO, 1), (LogLevel.ERROR, 0)])
def test_levels(level, written):
    stream = io.StringIO()
    log.configure(level, LogFormat.JSON, stream)
    structlog.get_logger().debug("one")
    structlog.get_logger().info("two")
    assert len(stream.getvalue().splitlines()) == written


def test_one_event_does_not_flood_the_log():
    stream = io.StringIO()
    log.configure(LogLevel.INFO, LogFormat.JSON, stream)
    for _ in range(5 * BURST):
        structlog.get_logger().info("peer moved")
    assert len(stream.getvalue().splitlines()) == BURST


def test_an_output_that_fails_stops_nothing():
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    log.configure(stream=Full())
    structlog.get_logger().info("lost")


def test_a_reader_that_stops_reading_stops_nothing_and_hears_what_it_lost(monkeypatch):
    monkeypatch.setattr(log, "PATIENCE_SECONDS", 0.01)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
        log.configure(LogLevel.DEBUG, LogFormat.JSON, stream)
        while reader.read():
            pass
        written = 2000
        for number in range(written):  # far more than a pipe holds
            structlog.get_logger().debug("entry", number=number, filling="x" * 200)
        whole, _, rest = reader.read().rpartition(b"\n")
        assert len(whole.splitlines()) < written
        structlog.get_logger().info("again")
        entries = [json.loads(line) for line in (rest + reader.read()).splitlines()[-2:]]
    assert entries[0]["event"] == "again"
    assert entries[1]["entries"] == written - len(whole.splitlines())


def test_long_entries_are_whole():
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        log.configure(form=LogFormat.JSON, stream=stream)
        structlog.get_logger().info("long", text="x" * 20_000)
        assert json.loads(reader.readline())["text"] == "x" * 20_000
