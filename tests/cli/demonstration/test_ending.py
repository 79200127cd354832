"""Where a signal is heard, where it waits, and what it does afterwards."""

import os
import signal

import pytest

from awgproxy.cli.demonstration.ending import SIGNALS, Ending


@pytest.fixture(autouse=True)
def signals_are_heard():
    """What started the tests may ignore SIGHUP, as `nohup` does."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


EACH = pytest.mark.parametrize("number", SIGNALS)


@EACH
def test_a_signal_ends_what_goes_on_and_no_other_one_interrupts_the_way_out(number):
    taken_down = []

    def signalled(ending):
        try:
            with ending.heard():
                os.kill(os.getpid(), number)
                pytest.fail("it was not heard")
        finally:
            for another in SIGNALS:
                os.kill(os.getpid(), another)
            taken_down.append(number)

    with Ending() as ending, pytest.raises(SystemExit) as end:
        signalled(ending)
    assert (end.value.code, taken_down) == (128 + number, [number])


@EACH
def test_a_signal_that_came_before_is_heard(number):
    with Ending() as ending:
        os.kill(os.getpid(), number)
        with pytest.raises(SystemExit) as end, ending.heard():
            pytest.fail("it was not heard")
    assert end.value.code == 128 + number


@EACH
def test_afterwards_a_signal_runs_nothing_of_python(number):
    signal.signal(number, signal.default_int_handler)
    with Ending():
        pass
    assert signal.getsignal(number) is signal.SIG_DFL


@EACH
def test_one_that_is_ignored_stays_so(number):
    signal.signal(number, signal.SIG_IGN)
    with Ending():
        assert signal.getsignal(number) is signal.SIG_IGN
    assert signal.getsignal(number) is signal.SIG_IGN
