"""The command line: one file a command, and the only place that prints or ends the process.

A command's file imports what it needs when it runs, so that `awgproxy --help` answers at once.
"""

from awgproxy.cli.app import main

__all__ = ["main"]
