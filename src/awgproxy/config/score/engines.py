"""Tests 1 to 4: what open engines know WireGuard by: its types behind three zero bytes, its sizes, its indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.score.traits import INITIATION, RESPONSE, TRANSPORT, Traits
from awgproxy.config.score.verdict import Outcome, Verdict
from awgproxy.config.shape import HEADERS, PADDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

GIVE_UP = 4
"""After so many datagrams that fit nothing OpenGFW's tracker lets a flow go."""

_NAMES = {INITIATION: "initiations", RESPONSE: "responses", TRANSPORT: "data"}


def engines(traits: Traits) -> Iterator[Verdict]:
    """What each engine needs to see of it: nDPI a flow's first packets or any data, tshark any two messages."""
    begun, answered, data = (_recognised(traits, kind) for kind in (INITIATION, RESPONSE, TRANSPORT))
    from_the_start = begun and (answered or data) and not traits.packets_before
    late = traits.looks_plain(TRANSPORT)
    for number, name in (("1", "nDPI 4.2"), ("2", "nDPI 5, in nfstream")):
        yield _verdict(f"{number}a", f"{name}, whole flows", from_the_start, traits)
        yield _verdict(f"{number}b", f"{name}, begun in the middle", late, traits)
    yield _verdict("3", "tshark", begun or answered or late, traits)
    indices = (begun and answered) or ((begun or answered) and data)
    given_up = traits.packets_before >= GIVE_UP
    yield _verdict("4a", "OpenGFW", indices and not given_up, traits)
    yield _verdict("4b", "OpenGFW, never giving up", indices, traits)


def _recognised(traits: Traits, kind: int) -> bool:
    return traits.looks_plain(kind) and traits.has_plain_size(kind)


def _verdict(number: str, test: str, fires: bool, traits: Traits) -> Verdict:
    plain = [kind for kind in _NAMES if traits.looks_plain(kind)]
    keys = tuple(name for kind in plain for name in (PADDINGS[kind], HEADERS[kind]))
    kinds = ", ".join(_NAMES[kind] for kind in plain)
    if fires:
        return Verdict(number, test, Outcome.FAILS, f"{kinds} begin with WireGuard's type", keys)
    if plain:
        hidden = "is hidden by what goes before it" if traits.packets_before else "is not enough of it"
        return Verdict(number, test, Outcome.PASSES, f"WireGuard's type in {kinds} {hidden}", keys)
    return Verdict(number, test, Outcome.PASSES, "no message begins with WireGuard's type")


TESTS = (engines,)
