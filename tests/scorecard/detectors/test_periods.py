from scorecard.detectors import periods
from tests.scorecard.packets import down, flow, up


def at(times, make=up):
    return flow(*[make(bytes(32), time) for time in times])


def test_keepalives_every_25_seconds_are_counted():
    found = periods.keepalives([at([0, 25, 50.9, 80, 83])])
    assert (found.flagged, found.of) == (2, 3)
    assert "from 25 to 29 s" in found.remark


def test_silences_that_the_server_ends_are_not_keepalives():
    assert periods.keepalives([at([0, 25, 50], down)]).of == 0


def test_rekeys_after_120_seconds_are_counted():
    found = periods.rekeys([[0, 120.5, 242], [10, 100], [5]])
    assert (found.flagged, found.of) == (1, 3)


def test_it_says_where_most_lie():
    assert "2 within 2 s from 90 s" in periods.rekeys([[0, 90, 181, 281]]).remark
