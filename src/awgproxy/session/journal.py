"""What a session writes to the log of the tunnel's life: up, down, rekeyed, failing and why; and of what it carried.

A peer goes by the position that the configuration gives it ("peer 2"), a session by its random id: neither tells a
reader of the log whose key it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy._native import FlowClosed
    from awgproxy.session.engine import SessionEngine
    from awgproxy.session.events import Handlers

log = structlog.get_logger()


class TunnelJournal:
    """Logs the events of the tunnel."""

    def __init__(self, peers: Sequence[str]) -> None:
        """`peers`: the public keys in the configuration's order."""
        self._names = {key: f"peer {number}" for number, key in enumerate(peers, 1)}
        self._carriers: dict[str, bool] = {}
        self.handlers: Handlers = {
            HandshakeCompleted: self._completed,
            HandshakeFailed: self._failed,
            HandshakeUnanswered: self._unanswered,
            SessionEnded: self._ended,
            PeerRoamed: self._roamed,
            CarrierUp: self._carrier_up,
            CarrierDown: self._carrier_down,
            QuotaSpent: self._quota_spent,
            LogRecord: self._record,
        }

    def _name(self, peer: str | None) -> str:
        return self._names.get(peer, "unknown peer") if peer is not None else "unknown peer"

    def _completed(self, event: HandshakeCompleted) -> None:
        what = "tunnel rekeyed" if event.rekey else "tunnel up"
        log.info(what, peer=self._name(event.peer), session=event.session, role=event.role)

    def _failed(self, event: HandshakeFailed) -> None:
        log.warning("handshake failed", peer=self._name(event.peer), cause=event.cause, hint=event.hint)

    def _unanswered(self, event: HandshakeUnanswered) -> None:
        log.debug("handshake not answered yet", peer=self._name(event.peer), tries=event.tries)

    def _ended(self, event: SessionEnded) -> None:
        log.info("tunnel down", peer=self._name(event.peer))

    def _roamed(self, event: PeerRoamed) -> None:
        log.info("peer moved", peer=self._name(event.peer))

    def _carrier_up(self, event: CarrierUp) -> None:
        self._carriers[event.peer] = True
        log.info("carrier up", peer=self._name(event.peer))

    def _carrier_down(self, event: CarrierDown) -> None:
        """That it is down is told once; that it does not come up either, each time that it is tried, at debug."""
        was_up = self._carriers.get(event.peer, True)
        self._carriers[event.peer] = False
        tell = log.info if was_up else log.debug
        tell("carrier down", peer=self._name(event.peer), reason=event.reason)

    def _quota_spent(self, event: QuotaSpent) -> None:
        log.info("a peer has spent its quota", peer=self._name(event.peer), until="the first of next month")

    def log_peers(self, engine: SessionEngine) -> None:
        """Log what each peer has had and was refused since the start, at debug, where there is anything to say."""
        try:
            peers = engine.snapshot()["peers"]
        except OSError:
            return  # which has been said of the counters
        for peer, name in self._names.items():
            counted = peers.get(peer, {})
            turned_away = {
                f"turned_away_by_{reason}": count for reason, count in counted.get("turned_away", {}).items() if count
            }
            if counted.get("relayed_bytes") or turned_away:
                log.debug("counters of a peer", peer=name, relayed_bytes=counted["relayed_bytes"], **turned_away)

    def _record(self, event: LogRecord) -> None:
        # The method is looked up now: one bound before logging is set up would write elsewhere for ever.
        fields = {name: self._names.get(value, value) for name, value in event.fields.items()}
        getattr(log, event.level)(event.message, **fields)


def log_closed(event: FlowClosed) -> None:
    """Log the end of a connection, at debug as all that is said of connections."""
    log.debug(
        "connection closed",
        flow=event.flow,
        outcome=event.outcome,
        sent=event.sent,
        received=event.received,
        reason=event.reason,
    )


def log_counters(engine: SessionEngine, **more: int) -> None:
    """Log what was counted since the start, at debug: the engine's counters that are not zero, and `more`."""
    try:
        counters = engine.snapshot()["counters"]
    except OSError as error:
        log.debug("the counters cannot be had", reason=str(error))
        return
    log.debug("counters", **{name: count for name, count in (more | counters).items() if count})
