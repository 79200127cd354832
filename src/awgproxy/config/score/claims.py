"""Tests 13 and 14: what signature packets claim to be, and whether they come again as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.score.protocols import Claim, claim_of
from awgproxy.config.score.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.score.traits import Traits
    from awgproxy.config.shape import Signature

LEAST_COMPARED = 40
"""Bytes: shorter payloads are alike by chance."""


def recognition(traits: Traits) -> Iterator[Verdict]:
    """Whether they are taken for what they claim."""
    test = "signatures that are not what they claim"
    if not traits.shape.signatures:
        yield Verdict("13", test, Outcome.PASSES, "nothing is claimed")
        return
    for name, signature in traits.shape.signatures.items():
        claim = claim_of(signature)
        title = test if len(traits.shape.signatures) == 1 else f"{test}: {name}"
        yield _recognised(title, name, claim, traits)


def _recognised(test: str, name: str, claim: Claim | None, traits: Traits) -> Verdict:
    if claim is None:
        return Verdict("13", test, Outcome.PASSES, f"{name} claims nothing that is known here", (name,))
    if claim.fault:
        return Verdict("13", test, Outcome.FAILS, f"{name} begins as {claim.protocol}, and {claim.fault}", (name,))
    if claim.port is not None and any((ports.first, ports.last) != (claim.port, claim.port) for ports in traits.ports):
        reason = f"{name} is {claim.protocol}, which is recognised at port {claim.port} only"
        key = "ListenPort" if traits.role == "server" else "Endpoint"
        return Verdict("13", test, Outcome.FAILS, reason, (name, key))
    return Verdict("13", test, Outcome.PASSES, f"{name} is a whole message of {claim.protocol}", (name,))


def repetition(traits: Traits) -> Iterator[Verdict]:
    """Whether a datagram comes again, at the next handshake or from somebody else."""
    within, across = "the same datagram twice in a flow", "the same datagram from two pairs"
    repeated = [
        name
        for name, signature in traits.shape.signatures.items()
        if signature.is_static and signature.size >= LEAST_COMPARED
    ]
    if repeated:
        listed = " and ".join(repeated)
        reason = f"{listed}: the same bytes at each handshake"
        yield Verdict("14a", within, Outcome.FAILS, reason, tuple(repeated))
        reason = f"{listed}: fails where another configuration has the same, which this one does not tell"
        yield Verdict("14b", across, Outcome.NOT_STATIC, reason, tuple(repeated))
        return
    reason = "every datagram has random bytes in it"
    part = next((words for words in map(_repeated_part, traits.shape.signatures.items()) if words), "")
    yield Verdict("14a", within, Outcome.PASSES, f"{reason}{part}")
    yield Verdict("14b", across, Outcome.PASSES, reason)


def _repeated_part(named: tuple[str, Signature]) -> str:
    """What a test of parts of datagrams would find."""
    name, signature = named
    longest = max(signature.static_runs, default=0)
    return f"; yet {longest} bytes of {name} come again at each handshake" if longest >= LEAST_COMPARED else ""


TESTS = (recognition, repetition)
