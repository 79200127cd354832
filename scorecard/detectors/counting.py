"""How many flows a test of single flows finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorecard.packets import Finding, Flow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def count(fires: Callable[[Flow], bool | None], flows: Iterable[Flow]) -> Finding:
    """Flagged flows of those that can be judged; `fires` gives None where a flow has too little."""
    verdicts = [verdict for flow in flows if (verdict := fires(flow)) is not None]
    return Finding(sum(verdicts), len(verdicts))
