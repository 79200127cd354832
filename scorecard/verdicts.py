"""What the tests say of each profile, and whether every promise and every control was kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorecard.catalogue import TESTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scorecard.catalogue import Test
    from scorecard.packets import Finding
    from scorecard.profiles import Profile
    from scorecard.world.recording import Recording


@dataclass(frozen=True, slots=True)
class Card:
    """The findings on a profile by the number of the test, and those on the controls that it serves for."""

    profile: Profile
    flows: int
    packets: int
    findings: Mapping[str, Finding]
    controls: Mapping[str, Finding]


def judge(recording: Recording, tests: Sequence[Test] = TESTS) -> Card:
    """Put every test to a recording. Raises what the engines raise."""
    findings = {test.number: test.judge(recording) for test in tests}
    controls = {
        test.number: test.control(recording) if test.control else findings[test.number]
        for test in tests
        if recording.profile.control or test.control_everywhere
    }
    packets = sum(len(flow.packets) for flow in recording.flows)
    return Card(recording.profile, len(recording.flows), packets, findings, controls)


def failures(cards: Sequence[Card], tests: Sequence[Test] = TESTS) -> list[str]:
    """Each broken promise and each control that was not found, in words; none where all is well."""
    found = []
    for card in cards:
        for test in tests:
            finding = card.findings[test.number]
            if test.number in card.profile.promised and not test.passed(finding):
                told = f"{finding.flagged} of {finding.of} {test.unit}" if finding.of else "too little to judge"
                found.append(
                    f"{card.profile.name} fails test {test.number}, {test.title}: {told} {finding.remark}".strip()
                )
            control = card.controls.get(test.number)
            if control is not None and not test.found(control):
                found.append(
                    f"test {test.number}, {test.title}, does not find its control ({test.control_words}) "
                    f"at {card.profile.name}: {control.flagged} of {control.of} {control.remark}".strip()
                )
    return found
