"""All tests by number, each with what it takes to pass, and what shows that it can find anything at all.

Numbers with a letter are parts of one test. What a detector does is said in its file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scorecard import capture
from scorecard.detectors import (
    columns,
    counter,
    identical,
    idle_sizes,
    opengfw,
    periods,
    randomness,
    residues,
    size_pairs,
    zero_mac2,
)
from scorecard.detectors.counting import count
from scorecard.engines import ndpi, nfstream, tshark
from scorecard.engines.labels import called, is_tunnel
from scorecard.packets import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from scorecard.world.recording import Recording

CUT = 14
"""How many datagrams of each flow an observer who comes late has missed."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test: what it counts (`unit`), and the share of them that may be flagged (`limit`).

    The control is plain WireGuard: at least `control_share` of it must be flagged. Where plain WireGuard has nothing to
    find by its nature, `control` says what must be flagged instead, at every profile where `control_everywhere`.
    """

    number: str
    title: str
    unit: str
    judge: Callable[[Recording], Finding]
    limit: float = 0.0
    control_share: float = 0.5
    control: Callable[[Recording], Finding] | None = None
    control_everywhere: bool = False
    control_words: str = "plain WireGuard"

    def passed(self, finding: Finding) -> bool:
        """Whether so little was flagged; what could not be judged is not passed."""
        return finding.of > 0 and (finding.flagged == 0 or finding.share < self.limit)

    def found(self, finding: Finding) -> bool:
        """Whether the control was found."""
        return finding.of > 0 and finding.share >= max(self.control_share, self.limit)


def _labelled(recording: Recording, engine: Callable[[Path, list[int]], dict[int, set[str]]], file: Path) -> Finding:
    labels = engine(file, recording.ports)
    others = sorted({label for found in labels.values() for label in found if not is_tunnel(label)} - {"Unknown"})
    flagged = sum(any(is_tunnel(label) for label in found) for found in labels.values())
    return Finding(flagged, len(labels), f"also called {', '.join(others)}" if others else "")


def _cut(recording: Recording) -> Path:
    file = recording.capture.with_suffix(".cut.pcap")
    if not file.exists():
        capture.cut(recording.capture, file, CUT)
    return file


def _tshark(recording: Recording) -> Finding:
    return Finding(len(tshark.flagged(recording.capture, recording.ports)), len(recording.flows))


def _columns(recording: Recording) -> Finding:
    """By server; signature packets are left out, since they are to look like what they claim."""
    payloads: dict[str, list[bytes]] = defaultdict(list)
    for flow in recording.flows:
        signatures = {id(packet) for shake in recording.handshakes[flow.port] for packet in shake.signature}
        payloads[flow.pair] += [packet.payload for packet in flow.packets if id(packet) not in signatures]
    return columns.judge(payloads)


def _size_pairs(recording: Recording, fires: Callable[[Sequence[tuple[int, int]]], bool | None]) -> Finding:
    sizes = [[shake.sizes for shake in shakes if shake.response] for shakes in recording.handshakes.values()]
    verdicts = [verdict for flow in sizes if (verdict := fires(flow)) is not None]
    return Finding(sum(verdicts), len(verdicts))


def _rekeys(recording: Recording) -> Finding:
    flows = recording.of_kind("rekeying")
    return periods.rekeys([shake.initiation.at for shake in recording.handshakes[flow.port]] for flow in flows)


def _probes(recording: Recording) -> Finding:
    probes = [probe for probe in recording.probes if not probe.control]
    answered = [f"{probe.pair} answered {probe.name}" for probe in probes if probe.answered]
    words = "; ".join(answered) or f"{sum(probe.sent for probe in probes)} datagrams, no byte back"
    return Finding(len(answered), len(probes), words)


def _answered_control(recording: Recording) -> Finding:
    answers = [probe.answered > 0 for probe in recording.probes if probe.control]
    return Finding(sum(answers), len(answers))


def _planted_within(recording: Recording) -> Finding:
    flow = recording.flows[0]
    return count(identical.within_flow, [replace(flow, packets=flow.packets * 2)])


def _planted_across(recording: Recording) -> Finding:
    flow = recording.flows[0]
    return identical.across_pairs([flow, replace(flow, pair="another")])


def _claims(recording: Recording) -> Finding:
    """Flows that begin with a signature packet which either program does not take for what it claims to be."""
    claims = {flow.port: claim for flow in recording.flows if (claim := recording.claims[flow.pair]) is not None}
    labels = ndpi.labels(recording.capture, claims)
    frames = {claim: tshark.recognised(recording.capture, claims, claim) for claim in {*claims.values()}}
    missed = [
        [
            name
            for name, missing in (("nDPI", not called(labels[port], claim)), ("tshark", not frames[claim][port]))
            if missing
        ]
        for port, claim in claims.items()
    ]
    told = Counter(
        f"{name} not {claim}" for names, claim in zip(missed, claims.values(), strict=True) for name in names
    )
    words = ", ".join(f"{name}: {count}" for name, count in told.items()) or ", ".join(sorted({*claims.values()}))
    return Finding(sum(map(bool, missed)), len(claims), words)


def _recognised(recording: Recording) -> Finding:
    labels = ndpi.labels(recording.capture, recording.ports)
    frames = tshark.recognised(recording.capture, recording.ports, "wg")
    known = [called(labels[port], "wireguard") and frames[port] > 0 for port in recording.ports]
    return Finding(sum(known), len(known))


def _samples(recording: Recording) -> Finding:
    parts: dict[str, list[bytes]] = defaultdict(list)
    for flow in recording.flows:
        found = recording.knowledge[flow.port].samples(flow, recording.handshakes[flow.port])
        for name, pieces in found.items():
            parts[name] += pieces
    return randomness.judge({name: b"".join(pieces) for name, pieces in parts.items()})


def _headers(recording: Recording) -> Finding:
    pieces = [packet.payload[:16] for flow in recording.flows for packet in flow.packets]
    return randomness.judge({"headers": b"".join(pieces)})


TESTS = (
    Test("1a", "nDPI, whole flows", "flows", lambda r: _labelled(r, ndpi.labels, r.capture)),
    Test("1b", f"nDPI, first {CUT} packets cut", "flows", lambda r: _labelled(r, ndpi.labels, _cut(r))),
    Test("2a", "nfstream, whole flows", "flows", lambda r: _labelled(r, nfstream.labels, r.capture)),
    Test("2b", f"nfstream, first {CUT} packets cut", "flows", lambda r: _labelled(r, nfstream.labels, _cut(r))),
    Test("3", "tshark", "flows", _tshark),
    Test("4a", "OpenGFW's tracker", "flows", lambda r: count(opengfw.fires, r.flows)),
    Test("4b", "the same, never giving up", "flows", lambda r: count(lambda f: opengfw.fires(f, None), r.flows)),
    Test("5", "index and counter in the clear", "flows", lambda r: count(counter.fires, r.flows)),
    Test("6", "an unset mac2", "flows", lambda r: count(zero_mac2.fires, r.flows)),
    Test("7", "uneven byte columns", "columns", _columns, control_share=0.05),
    Test("8", "one residue of lengths modulo 16", "flows", lambda r: count(residues.fires, r.flows)),
    Test("9", "few sizes after a silence", "servers", lambda r: idle_sizes.judge(r.flows)),
    Test("10a", "a pair of 148 and 92 bytes", "flows", lambda r: _size_pairs(r, size_pairs.plain_pair)),
    Test("10b", "one pair of sizes at every rekey", "flows", lambda r: _size_pairs(r, size_pairs.one_pair)),
    Test("11a", "keepalives every 25 s", "silences", lambda r: periods.keepalives(r.of_kind("idle")), periods.LIMIT),
    Test("11b", "rekeys every 120 s", "rekeys", _rekeys, periods.LIMIT),
    Test(
        "12",
        "probes that are answered",
        "probes",
        _probes,
        control=_answered_control,
        control_share=1.0,
        control_everywhere=True,
        control_words="a replay that is new to the server, since its record was taken away",
    ),
    Test(
        "13",
        "signature packets not taken for what they claim",
        "flows",
        _claims,
        control=_recognised,
        control_words="that nDPI and tshark know plain WireGuard for what it is",
    ),
    Test(
        "14a",
        "the same datagram twice in a flow",
        "flows",
        lambda r: count(identical.within_flow, r.flows),
        control=_planted_within,
        control_everywhere=True,
        control_words="a flow of the capture, played twice",
    ),
    Test(
        "14b",
        "the same datagram from two pairs",
        "datagrams",
        lambda r: identical.across_pairs(r.flows),
        control=_planted_across,
        control_everywhere=True,
        control_words="a flow of the capture, under two names",
    ),
    Test(
        "15",
        "padding and junk that is not random",
        "samples",
        _samples,
        control=_headers,
        control_words="plain WireGuard's headers, taken for padding",
    ),
)
