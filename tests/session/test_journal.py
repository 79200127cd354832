"""What the tunnel's life looks like in the log."""

import io
import json

import pytest

from awgproxy._native import (
    CarrierDown,
    CarrierUp,
    HandshakeCompleted,
    HandshakeFailed,
    HandshakeUnanswered,
    LogRecord,
    PeerRoamed,
    QuotaSpent,
    SessionEnded,
)
from awgproxy.config.model import LogFormat, LogLevel
from awgproxy.observe import log
from awgproxy.session import journal
from tests.config.texts import OTHER_KEY, PEER_KEY
from tests.memory import MemoryEngine


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_records_of_the_engine_go_where_all_entries_go(level):
    stream = io.StringIO()
    log.configure(LogLevel.DEBUG, LogFormat.JSON, stream)
    journal.TunnelJournal([]).handlers[LogRecord](LogRecord(level, "limit of open files", {"now": "20000"}))
    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["event"], entry["now"]) == (level, "limit of open files", "20000")


def told(events, peers=()):
    """The log's entries for some events."""
    stream = io.StringIO()
    log.configure(LogLevel.DEBUG, LogFormat.JSON, stream)
    handlers = journal.TunnelJournal(peers).handlers
    for event in events:
        handlers[type(event)](event)
    assert OTHER_KEY not in stream.getvalue()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_carrier_is_told_up_and_down_once_each():
    down = CarrierDown(PEER_KEY, "nothing listens there")
    entries = told([down, down, CarrierUp(PEER_KEY), down, down], [PEER_KEY])
    said = [(entry["event"], entry["peer"]) for entry in entries if entry["level"] == "info"]
    assert said == [("carrier down", "peer 1"), ("carrier up", "peer 1"), ("carrier down", "peer 1")]
    assert entries[0]["reason"] == "nothing listens there"
    assert len(entries) == 5


def test_a_tunnels_life():
    entries = told(
        [
            HandshakeCompleted(OTHER_KEY, "1f2e", "initiator", False),
            HandshakeCompleted(OTHER_KEY, "77aa", "responder", True),
            PeerRoamed(OTHER_KEY, ("192.0.2.1", 9)),
            HandshakeUnanswered(OTHER_KEY, 2),
            QuotaSpent(OTHER_KEY),
            SessionEnded(OTHER_KEY),
        ],
        [PEER_KEY, OTHER_KEY],
    )
    assert [(entry["event"], entry["level"]) for entry in entries] == [
        ("tunnel up", "info"),
        ("tunnel rekeyed", "info"),
        ("peer moved", "info"),
        ("handshake not answered yet", "debug"),
        ("a peer has spent its quota", "info"),
        ("tunnel down", "info"),
    ]
    assert {entry["peer"] for entry in entries} == {"peer 2"}
    assert (entries[0]["session"], entries[0]["role"]) == ("1f2e", "initiator")


@pytest.mark.parametrize(("peer", "name"), [(OTHER_KEY, "peer 1"), (PEER_KEY, "unknown peer"), (None, "unknown peer")])
def test_a_failed_handshake_comes_with_its_cause_and_a_hint(peer, name):
    (entry,) = told([HandshakeFailed(peer, "wrong preshared key", "compare PresharedKey on both ends")], [OTHER_KEY])
    assert (entry["level"], entry["peer"]) == ("warning", name)
    assert (entry["cause"], entry["hint"]) == ("wrong preshared key", "compare PresharedKey on both ends")


def test_a_key_in_a_record_is_told_as_its_peer():
    (entry,) = told([LogRecord("warning", "peer refused", {"peer": OTHER_KEY, "reason": "own key"})], [OTHER_KEY])
    assert (entry["peer"], entry["reason"]) == ("peer 1", "own key")


def test_what_each_peer_had_and_was_refused():
    engine = MemoryEngine()
    engine.counted[PEER_KEY] = {"relayed_bytes": 0, "flows": 0, "turned_away": {"flows": 0}}
    engine.counted[OTHER_KEY] = {"relayed_bytes": 300, "flows": 0, "turned_away": {"flows": 2, "quota": 0}}
    stream = io.StringIO()
    log.configure(LogLevel.DEBUG, LogFormat.JSON, stream)
    journal.TunnelJournal([PEER_KEY, OTHER_KEY]).log_peers(engine)
    engine.close()
    (entry,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert entry.pop("timestamp")
    assert entry == {
        "event": "counters of a peer",
        "level": "debug",
        "peer": "peer 2",
        "relayed_bytes": 300,
        "turned_away_by_flows": 2,
    }
