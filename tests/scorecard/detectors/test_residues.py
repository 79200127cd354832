import random

from scorecard.detectors import residues
from tests.scorecard.packets import down, flow, up


def test_lengths_in_blocks_are_found_in_either_direction():
    blocks = [bytes(17 + 16 * number) for number in range(70)]
    assert residues.fires(flow(*map(up, blocks)))
    mixed = [bytes(random.Random(size).randint(40, 1300)) for size in range(200)]
    assert residues.fires(flow(*map(up, mixed), *map(down, blocks)))


def test_random_lengths_are_not():
    dice = random.Random(5)
    assert residues.fires(flow(*[up(bytes(dice.randint(40, 1300))) for _ in range(200)])) is False


def test_few_datagrams_say_nothing():
    assert residues.fires(flow(*[up(bytes(32))] * (residues.LEAST - 1))) is None
