"""What in a configuration is taken and yet is better known: what a censor can tell by, and what will disappoint.

Nothing of it stops a client or a server; what does is an error of `parse`. A finding that is `grave` says that it will
not work as it should. A rule is a function that yields remarks: those of `traffic` are about what the tunnel looks like
from outside, those of `network` about what goes through it, those of `carrier` about what it rides on there. `pair`
holds two ends against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.findings import in_order
from awgproxy.config.lint import carrier, network, traffic
from awgproxy.config.lint.pair import compare
from awgproxy.config.model import SECTIONS
from awgproxy.config.path import path_to
from awgproxy.errors import Problem

if TYPE_CHECKING:
    from awgproxy.config.lint.remark import Remark
    from awgproxy.config.model import Config
    from awgproxy.config.path import Path

__all__ = ["check", "compare"]


def check(config: Config, path: Path | None = None) -> list[Problem]:
    """Every finding about a configuration, the parser's warnings included, in the order of the file.

    ``path``: the way to the peer; where None, what the system knows of it.
    """
    way = path or path_to(config.peers)
    views = [traffic.View(config, section, way) for section in config.obfuscated]
    remarks = [remark for view in views for rule in traffic.RULES for remark in rule(view)]
    remarks += [remark for rule in (*network.RULES, *carrier.RULES) for remark in rule(config, way)]
    return list(in_order([*config.warnings, *(_placed(remark, config) for remark in remarks)]))


def _placed(remark: Remark, config: Config) -> Problem:
    """The remark with its line: the item's, else the key's, else the section's."""
    section, key = remark.section, remark.key.lower()
    places = [(section, key), (section, "")] if remark.item is None else [(section, key, remark.item)]
    line = next((config.lines[place] for place in places if place in config.lines), None)
    titles = {one.label: one.title for one in config.obfuscated}
    title = titles.get(section) or SECTIONS[section.split(" ")[0]].__name__
    return Problem(config.file, line, title, remark.key, remark.message, remark.suggestion, remark.grave)
