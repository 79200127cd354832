"""The line of everything in a file, kept small: sections that are laid out alike share what says where their keys are.

A server's file has thousands of sections, most of which differ in nothing but where they begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TypeAlias

Place: TypeAlias = tuple[str, str] | tuple[str, str, int]
"""(section, key in lower case); (section, "") is the section's header, (section, key, index) an item of a list."""

Inside: TypeAlias = tuple[str] | tuple[str, int]
"""A place without the section's name."""


class Lines(Mapping[Place, int]):
    """Line numbers by `Place`. Sections go by their names in lower case, peers as ``peer 1``, ``peer 2``."""

    def __init__(self) -> None:
        self._sections: dict[str, tuple[int, dict[Inside, int]]] = {}
        self._layouts: dict[tuple[tuple[Inside, int], ...], dict[Inside, int]] = {}

    def note(self, section: str, header: int, lines: Mapping[Inside, int]) -> None:
        """Note a section: the line of its header, and those of what is in it."""
        distances = {place: line - header for place, line in lines.items()}
        layout = self._layouts.setdefault(tuple(distances.items()), distances)
        self._sections[section] = (header, layout)

    def __getitem__(self, place: Place) -> int:
        """The line of a place. Raises KeyError where there is no such place."""
        section, *inside = place
        header, layout = self._sections[section]
        return header if inside == [""] else header + layout[tuple(inside)]  # type: ignore[index]

    def __iter__(self) -> Iterator[Place]:
        """Every place."""
        for section, (_, layout) in self._sections.items():
            for inside in chain([("",)], layout):
                yield (section, *inside)

    def __len__(self) -> int:
        """How many places there are."""
        return sum(1 + len(layout) for _, layout in self._sections.values())
