import pytest

from scorecard.detectors import opengfw
from tests.scorecard.packets import data, down, flow, noise, up

OURS, THEIRS = b"abcd", b"wxyz"
INITIATION = up(b"\x01\0\0\0" + OURS + bytes(140))
RESPONSE = down(b"\x02\0\0\0" + THEIRS + OURS + bytes(80))


def junk(count):
    return [up(payload) for payload in noise([100] * count)]


def test_a_response_to_the_initiators_index_is_found():
    assert opengfw.fires(flow(INITIATION, RESPONSE))


def test_data_with_the_other_ends_index_is_found():
    assert opengfw.fires(flow(INITIATION, down(data(OURS, 0))))


def test_a_cookie_reply_is_found():
    assert opengfw.fires(flow(INITIATION, down(b"\x03\0\0\0" + OURS + bytes(56))))


@pytest.mark.parametrize(
    "packets",
    [
        [INITIATION],
        [INITIATION, down(data(b"none", 0))],
        [INITIATION, down(data(OURS, 0)[:-1])],
        [up(b"\x01\0\0\x07" + OURS + bytes(140)), RESPONSE],
        [up(b"\x01\0\0\0" + OURS + bytes(141)), RESPONSE],
        [INITIATION, up(RESPONSE.payload)],
    ],
    ids=["alone", "another index", "not a multiple of 16", "not zero", "another size", "from the same end"],
)
def test_what_is_not_wireguard_is_not(packets):
    assert not opengfw.fires(flow(*packets))


def test_it_gives_up_after_four_misfits_and_the_patient_one_does_not():
    assert opengfw.fires(flow(*junk(3), INITIATION, RESPONSE))
    late = flow(*junk(4), INITIATION, RESPONSE)
    assert not opengfw.fires(late)
    assert opengfw.fires(late, give_up=None)
