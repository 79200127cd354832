"""Tests 8 to 10: what sizes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.score.traits import INITIATION, RESPONSE, SIZES
from awgproxy.config.score.verdict import Outcome, Verdict
from awgproxy.config.shape import PADDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awgproxy.config.score.traits import Traits

BLOCK = 16
MOST_OF_ONE_RESIDUE = 0.25
MOST_OF_TWO_SIZES = 0.2

_VARIES = "ContentPaddingAddition"


def residues(traits: Traits) -> Iterator[Verdict]:
    """Lengths modulo the block that WireGuard pads to."""
    test = "one residue of lengths modulo 16"
    drawn = traits.sizes_of_data
    if drawn is None:
        yield Verdict("8", test, Outcome.PASSES, "data is padded to any length", ("RandomTrailers",))
        return
    share = -(-drawn // BLOCK) / drawn
    if share > MOST_OF_ONE_RESIDUE:
        few = f"is drawn from {drawn} lengths" if drawn > 1 else "is padded to multiples of 16"
        yield Verdict("8", test, Outcome.FAILS, f"data {few}", (_VARIES,))
    else:
        yield Verdict("8", test, Outcome.PASSES, f"data is padded to any of {drawn} lengths", (_VARIES,))


def after_silence(traits: Traits) -> Iterator[Verdict]:
    """What a client sends first when it was idle: keepalives, and packets that open connections."""
    test = "few sizes after a silence"
    drawn = traits.sizes_of_data
    if drawn is not None and 2 / drawn > MOST_OF_TWO_SIZES:
        few = f"from {drawn} sizes" if drawn > 1 else "one size"
        yield Verdict("9", test, Outcome.FAILS, f"keepalives have {few}", (_VARIES,))
        return
    key = "RandomTrailers" if drawn is None else _VARIES
    yield Verdict("9", test, Outcome.PASSES, "keepalives and short packets have many sizes", (key,))


def handshakes(traits: Traits) -> Iterator[Verdict]:
    """A request and its answer by their sizes."""
    plain, again = "a pair of 148 and 92 bytes", "one pair of sizes at every rekey"
    if traits.shape.trailers:
        for number, test in (("10a", plain), ("10b", again)):
            yield Verdict(number, test, Outcome.PASSES, "handshakes have trailers of any length", ("RandomTrailers",))
        return
    asked, answered = (SIZES[kind] + traits.shape.paddings[kind] for kind in (INITIATION, RESPONSE))
    sizes = f"initiations have {asked} bytes, responses {answered}"
    if (asked, answered) == (SIZES[INITIATION], SIZES[RESPONSE]):
        yield Verdict("10a", plain, Outcome.FAILS, sizes, PADDINGS[:2])
    else:
        yield Verdict("10a", plain, Outcome.PASSES, sizes, PADDINGS[:2])
    yield Verdict("10b", again, Outcome.FAILS, f"{sizes}, always", ("RandomTrailers",))


TESTS = (residues, after_silence, handshakes)
