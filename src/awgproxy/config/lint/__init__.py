"""What in a configuration works and yet is better known: what a censor can tell by, and what will disappoint.

Gives warnings only; what cannot work is an error of `parse`. A rule is a function that yields remarks: those of
`traffic` are about what the tunnel looks like from outside, those of `network` about what goes through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.findings import in_order
from awgproxy.config.lint import network, traffic
from awgproxy.config.path import path_to
from awgproxy.config.shape import Shape
from awgproxy.errors import Problem

if TYPE_CHECKING:
    from awgproxy.config.lint.remark import Remark
    from awgproxy.config.model import Config
    from awgproxy.config.path import Path

_RULES = (*traffic.RULES, *network.RULES)


def check(config: Config, path: Path | None = None) -> list[Problem]:
    """Every warning about a configuration, the parser's included, in the order of the file.

    ``path``: the way to the peer; where None, what the system knows of it.
    """
    shape = Shape.of(config.obfuscation)
    way = path or path_to(config.peers)
    found = [_placed(remark, config) for rule in _RULES for remark in rule(config, shape, way)]
    return list(in_order([*config.warnings, *found]))


def _placed(remark: Remark, config: Config) -> Problem:
    """The remark with its line: the item's, else the key's, else the section's."""
    section, key = remark.section, remark.key.lower()
    places = [(section, key), (section, "")] if remark.item is None else [(section, key, remark.item)]
    line = next((config.lines[place] for place in places if place in config.lines), None)
    title = section.split(" ")[0].capitalize()
    return Problem(config.file, line, title, remark.key, remark.message, remark.suggestion)
