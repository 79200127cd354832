"""The command line: one file a command, and the only place that prints or ends the process.

A command's file imports what it needs when it runs, so that `awgproxy --help` answers at once.
"""

from awgproxy.cli import lean

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the signal's number."""


def main() -> None:
    """Run a command and end the process: the console script ``awgproxy``."""
    try:
        with lean.starting():
            from awgproxy.cli.app import run  # takes a moment, in which there may be a Ctrl-C too

            run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
