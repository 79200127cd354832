"""``awgproxy --version``."""

from __future__ import annotations

import argparse


class Version(argparse.Action):
    """An option without a value that prints the version and ends the process."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:  # noqa: A002 - the parser's own name
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, *_: object) -> None:
        """Look the version up: it takes a moment, and nobody else asks for it."""
        from importlib.metadata import version

        print(f"awgproxy {version('awgproxy')}")
        raise SystemExit
