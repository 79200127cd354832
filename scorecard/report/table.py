"""The table: a row a test, a column a profile, with counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorecard.catalogue import TESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scorecard.catalogue import Test
    from scorecard.verdicts import Card


def cell(test: Test, card: Card) -> str:
    """`pass 0/100`, `FAIL 3/100` where it was promised, `found 100/100`."""
    finding = card.findings[test.number]
    counts = f"{finding.flagged}/{finding.of}"
    if finding.of == 0:
        word = "FAIL" if test.number in card.profile.promised else "not judged"
        return f"{word} {counts}"
    if test.passed(finding):
        return f"pass {counts}"
    return f"{'FAIL' if test.number in card.profile.promised else 'found'} {counts}"


def text(cards: Sequence[Card]) -> str:
    """For a terminal, with the remarks below."""
    rows = [["", "", *(card.profile.name for card in cards)]]
    rows += [[test.number, test.title, *(cell(test, card) for card in cards)] for test in TESTS]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", remarks(cards)])


def remarks(cards: Sequence[Card]) -> str:
    """What the tests have to say beside counts, a line each."""
    return "\n".join(
        f"- {test.number}, `{card.profile.name}`: {remark}"
        for test in TESTS
        for card in cards
        if (remark := card.findings[test.number].remark)
    )


def markdown(cards: Sequence[Card]) -> str:
    """For the page: what was flagged, of how many; bold where a test was not passed."""
    names = " | ".join(f"`{card.profile.name}`" for card in cards)
    lines = [f"| # | what is looked for | counted | {names} |", "|---|---|---|" + "---|" * len(cards)]
    for test in TESTS:
        cells = []
        for card in cards:
            finding = card.findings[test.number]
            counts = f"{finding.flagged} of {finding.of}" if finding.of else "not judged"
            cells.append(counts if test.passed(finding) else f"**{counts}**")
        lines.append(f"| {test.number} | {test.title} | {test.unit} | {' | '.join(cells)} |")
    return "\n".join(lines)
