from scorecard.detectors import size_pairs


def test_148_answered_by_92_is_found():
    assert size_pairs.plain_pair([(180, 130), (148, 92)])


def test_other_pairs_are_not():
    assert not size_pairs.plain_pair([(148, 93), (149, 92), (92, 148), (148, 0)])


def test_one_pair_at_all_handshakes():
    assert size_pairs.one_pair([(200, 150), (200, 150)]) is True
    assert size_pairs.one_pair([(200, 150), (200, 151)]) is False
    assert size_pairs.one_pair([(200, 150)]) is None
