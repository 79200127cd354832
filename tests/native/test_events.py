"""The classes of events."""

import pytest

from awgproxy import _native
from awgproxy._native import (
    CarrierDown,
    CarrierUp,
    FlowClosed,
    FlowIncoming,
    HandshakeCompleted,
    HandshakeFailed,
    HandshakeUnanswered,
    InitiationAccepted,
    LogRecord,
    SessionEnded,
)

KEY = _native.public_key(_native.generate_private_key())


def test_an_event_shows_its_fields():
    event = FlowClosed(7, "orderly", 10, 20, "both sides were done")
    assert (event.flow, event.outcome, event.sent, event.received) == (7, "orderly", 10, 20)
    assert repr(event) == ("FlowClosed(flow=7, outcome='orderly', sent=10, received=20, reason='both sides were done')")


def test_a_timestamp_is_bytes():
    assert InitiationAccepted(KEY, b"0123456789ab").timestamp == b"0123456789ab"
    with pytest.raises(ValueError, match="12"):
        InitiationAccepted(KEY, b"short")


def test_a_destination_is_an_address_unless_it_is_said_to_be_a_name():
    arguments = (1, "tcp", KEY, ("10.8.0.2", 1), ("example.org", 80), False)
    assert FlowIncoming(*arguments, True).is_name
    assert not FlowIncoming(*arguments).is_name


def test_events_compare_by_their_content():
    assert FlowClosed(7, "orderly", 1, 2, "x") == FlowClosed(7, "orderly", 1, 2, "x")
    assert FlowClosed(7, "orderly", 1, 2, "x") != FlowClosed(8, "orderly", 1, 2, "x")


def test_no_event_shows_a_key():
    events = [
        FlowIncoming(1, "tcp", KEY, ("10.8.0.2", 1), ("192.0.2.1", 80), False),
        HandshakeCompleted(KEY, "1f2e", "initiator", False),
        HandshakeFailed(KEY, "no-answer", "look at the endpoint"),
        HandshakeUnanswered(KEY, 3),
        SessionEnded(KEY),
        CarrierUp(KEY),
        CarrierDown(KEY, "the other end was restarted"),
        InitiationAccepted(KEY, bytes(12)),
    ]
    assert all(event.peer == KEY and KEY not in repr(event) for event in events)


def test_events_are_immutable():
    record = LogRecord("info", "started", {"port": "1"})
    with pytest.raises(AttributeError):
        record.message = "changed"
    record.fields["port"] = "2"
    assert record.fields == {"port": "1"}
