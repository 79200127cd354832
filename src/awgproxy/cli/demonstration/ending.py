"""How a signal ends the demonstration: by unwinding, so that no process and no file with keys is left behind.

A signal is heard only where that is said; elsewhere, while something is made or taken down, it waits or is passed over.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Takes `SIGNALS` over while it is entered, except those that are ignored, as `nohup` has it.

    Afterwards they do what the system has them do: nothing of Python is run by one while the interpreter goes away.
    """

    def __init__(self) -> None:
        self._taken: list[signal.Signals] = []
        self._asked: int | None = None
        self._heard = False

    def __enter__(self) -> Self:
        """Take the signals over; none is heard yet."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask)
                self._taken.append(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the system have the signals."""
        for number in self._taken:
            signal.signal(number, signal.SIG_DFL)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within, a signal ends what goes on, also one that came before; what it raises takes everything down unheard.

        Raises:
            SystemExit: there was a signal; the code is 128 and its number, as shells have it.
        """
        self._heard = True
        try:
            if self._asked is not None:
                raise SystemExit(128 + self._asked)
            yield
        finally:
            self._heard = False

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self._asked is None:
            self._asked = number
        if self._heard:
            self._heard = False
            raise SystemExit(128 + number)
