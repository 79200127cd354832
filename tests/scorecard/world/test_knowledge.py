"""Handshakes made by hand: only what the tests of messages look at is in them."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from awgproxy import _native
from scorecard.world.knowledge import Knowledge
from tests.scorecard.packets import down, flow, noise, up

CLIENT, SERVER = _native.generate_private_key(), _native.generate_private_key()
PROTECTION = bytes(range(32))
SIZES = {"S1": 20, "S2": 30, "S3": 12, "S4": 16}
WORDS = {"H1": "1000-1010", "H2": "2000", "H3": "3000", "H4": "4000-4010"}


def configuration(*, protected):
    lines = {"PrivateKey": CLIENT, **SIZES, **WORDS, "Jc": 2, "Jmin": 40, "Jmax": 50, "I1": "<r 9>"}
    if protected:
        lines["HeaderProtectionKey"] = base64.b64encode(PROTECTION).decode()
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    return f"# A client = a comment\n[Interface]\n{text}\n[Peer]\nPublicKey = {_native.public_key(SERVER)}\n"


def message(word, size, receiver, padding, trailer, *, protected):
    head = word.to_bytes(4, "little") + noise([size - 36], word)[0]
    key = hashlib.blake2s(b"mac1----" + base64.b64decode(_native.public_key(receiver))).digest()
    bare = head + hashlib.blake2s(head, key=key, digest_size=16).digest() + bytes(16)
    before = noise([padding], 7)[0]
    if protected:
        bare = Cipher(ChaCha20(PROTECTION, bytes(4) + before[:12]), None).encryptor().update(bare)
    return before + bare + bytes(trailer)


@pytest.fixture(params=[False, True], ids=["in the clear", "protected"])
def protected(request):
    return request.param


@pytest.fixture
def knowledge(protected):
    return Knowledge.of(configuration(protected=protected))


@pytest.fixture
def initiation(protected):
    return message(1007, 148, SERVER, 20, 5, protected=protected)


@pytest.fixture
def response(protected):
    return message(2000, 92, CLIENT, 30, 0, protected=protected)


def test_messages_are_known_by_word_and_mac(knowledge, initiation, response, protected):
    assert knowledge.is_initiation(initiation)
    assert knowledge.is_response(response)
    assert not knowledge.is_initiation(response)
    assert not knowledge.is_response(initiation)
    assert not knowledge.is_initiation(message(1007, 148, CLIENT, 20, 0, protected=protected))
    assert not knowledge.is_initiation(message(1011, 148, SERVER, 20, 0, protected=protected))
    assert not knowledge.is_initiation(initiation[:167])


def test_what_surrounds_a_handshake_is_told_apart(knowledge, initiation, response):
    signature, first, second, earlier = noise([9, 40, 50, 100])
    sent = [up(earlier), up(signature), down(earlier), up(first), up(second), up(initiation, 3.0), down(response)]
    (found,) = knowledge.handshakes(flow(*sent))
    assert [packet.payload for packet in (*found.signature, *found.junk)] == [signature, first, second]
    assert found.initiation.at == 3.0
    assert found.sizes == (173, 122)


def test_an_answer_belongs_to_the_last_initiation(knowledge, initiation, response):
    before = [up(payload) for payload in noise([9, 40, 50])]
    sent = [*before, up(initiation), *before, up(initiation), down(response)]
    assert [shake.response is not None for shake in knowledge.handshakes(flow(*sent))] == [False, True]


def test_what_carries_nothing_is_taken_out(knowledge, initiation, response):
    preamble = [up(payload) for payload in noise([9, 40, 50])]
    recorded = flow(*preamble, up(initiation), down(response))
    samples = knowledge.samples(recorded, knowledge.handshakes(recorded))
    assert {name: [*map(len, pieces)] for name, pieces in samples.items()} == {
        "junk": [40, 50],
        "S1": [20],
        "S2": [30],
        "trailers": [5, 0],
        "S4": [],
    }


def test_no_key_is_in_its_repr(knowledge):
    assert "key" not in repr(knowledge).lower()
