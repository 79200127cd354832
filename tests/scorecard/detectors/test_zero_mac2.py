from scorecard.detectors import zero_mac2
from tests.scorecard.packets import flow, noise, up


def test_sixteen_zeros_at_an_early_end_are_found():
    assert zero_mac2.fires(flow(*map(up, noise([50, 60])), up(noise([132])[0] + bytes(16))))


def test_fewer_later_or_elsewhere_are_not():
    early = noise([50] * zero_mac2.EARLY)
    assert not zero_mac2.fires(flow(up(b"x" * 132 + bytes(15))))
    assert not zero_mac2.fires(flow(up(bytes(16) + b"x")))
    assert not zero_mac2.fires(flow(*map(up, early), up(bytes(148))))
