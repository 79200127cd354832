"""How commands declare their arguments: each is a function, whose words are its help and whose parameters go by name.

A command that finds fault with an argument raises `misused`, which is told with the command's usage, as what the parser
itself finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - the type has no other name


class MisuseError(Exception):
    """An argument that its command cannot do anything with."""


def misused(argument: str, why: object) -> NoReturn:
    """Say what is wrong with an argument.

    Raises:
        MisuseError: always.
    """
    raise MisuseError(f"{argument}: {why}") from None


def command(commands: Commands, run: Callable[..., None]) -> argparse.ArgumentParser:
    """A command by the name of the function that runs it; arguments are to be added."""
    words = run.__doc__ or ""
    parser = commands.add_parser(run.__name__, help=words.partition("\n")[0], description=words, allow_abbrev=False)
    parser.set_defaults(run=run, parser=parser)
    return parser


def run_chosen(parser: argparse.ArgumentParser) -> None:
    """Run the command that the command line names; where that is wrong, end the process with 2 and the usage."""
    arguments = vars(parser.parse_args())
    run, chosen = arguments.pop("run"), arguments.pop("parser")
    try:
        run(**arguments)
    except MisuseError as error:
        chosen.error(str(error))
