"""The command line in this process: its arguments, its standard streams, its exit code."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from awgproxy.cli import main


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def awgproxy(*arguments, stdin=b"", **environment):
    """Run a command to its end, with ``stdin`` as bytes on its standard input."""
    output, errors = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["awgproxy", *map(str, arguments)]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        patch.dict(os.environ, {"COLUMNS": "120", **environment}),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    return Finished(code, output.getvalue(), errors.getvalue())
