"""The scorecard's static part: what a censor's tests find by a configuration alone, without any traffic.

A test is a function that yields verdicts, numbered as the scorecard numbers them (docs/resistance.md). Judged is what
this program sends with the configuration; what depends on the other end or on the network is said to be so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.score import claims, engines, life, sizes, structure
from awgproxy.config.score.traits import Traits
from awgproxy.config.score.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from awgproxy.config.model import Config

__all__ = ["Outcome", "Verdict", "score"]

_TESTS = (*engines.TESTS, *structure.TESTS, *sizes.TESTS, *life.TESTS, *claims.TESTS)


def score(config: Config) -> Mapping[str, list[Verdict]]:
    """The verdicts in the order of their numbers, by the section that has the parameters: ``Interface`` first."""
    return {
        section.title: sorted(
            (verdict for test in _TESTS for verdict in test(Traits.of(config, section))),
            key=lambda verdict: (int(verdict.number.rstrip("ab")), verdict.number),
        )
        for section in config.obfuscated
    }
