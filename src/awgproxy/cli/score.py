"""``awgproxy score``: which of a censor's tests a configuration fails by itself, why, and what to change."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from awgproxy.cli.arguments import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from awgproxy.cli.arguments import Commands
    from awgproxy.config.score import Verdict

JUDGED, WRONG = 0, 2
_NARROWEST, _PIPED = 60, 120


def declare(commands: Commands) -> None:
    """Its arguments."""
    parser = command(commands, score)
    parser.add_argument("file", type=Path, metavar="FILE", help="a client's or a server's configuration")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print JSON")


def score(file: Path, *, as_json: bool) -> None:
    """Tell which tests of the scorecard a configuration fails by itself, why, and which key to change.

    Sends nothing. The exit code is 0 whatever the verdicts are, and 2 if the configuration has errors.
    """
    from awgproxy.config import load
    from awgproxy.config.score import score as judge
    from awgproxy.errors import ConfigError

    try:
        config = load(file)
    except ConfigError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        raise SystemExit(WRONG) from None
    scores = judge(config)
    if as_json:
        print(json.dumps({section: [asdict(each) for each in verdicts] for section, verdicts in scores.items()}))
    else:
        _print_tables(scores)
    raise SystemExit(JUDGED)


def _print_tables(scores: Mapping[str, Iterable[Verdict]]) -> None:
    width = max(get_terminal_size((_PIPED, 0)).columns, _NARROWEST) if sys.stdout.isatty() else _PIPED
    for number, (section, verdicts) in enumerate(scores.items()):
        if len(scores) > 1:
            print(f"{'' if number == 0 else chr(10)}[{section}]")
        _print_table(list(verdicts), width)


def _print_table(verdicts: list[Verdict], width: int) -> None:
    """A row each: number, outcome, test; below it the reason, with the keys to change where it fails."""
    from awgproxy.config.score import Outcome

    for verdict in verdicts:
        print(f"{verdict.number:>4}  {verdict.outcome:<10}  {verdict.test}")
        change = f"; change {', '.join(verdict.keys)}" if verdict.outcome is Outcome.FAILS and verdict.keys else ""
        print(textwrap.fill(f"{verdict.reason}{change}", width, initial_indent=" " * 18, subsequent_indent=" " * 18))
    counts = {outcome: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome}
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
