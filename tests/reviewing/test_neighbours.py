import numpy as np
import pytest

from trainer.reviewing import neighbours
from trainer.reviewing.neighbours import find_neighbours


@pytest.fixture
def features():
    """Three hundred directions near to one another, and one that is far from all."""
    noise = np.random.default_rng(0)
    near = noise.normal(size=[300, 16]) + 1
    return np.concatenate([near, [-np.ones(16)]]).astype(np.float32)


def test_a_scaled_copy_is_a_near_duplicate(features):
    features[7] = 3 * features[200]
    assert find_neighbours(features, 0.9999).pairs.tolist() == [[7, 200]]


def test_pairs_are_there_once_the_most_similar_first(features):
    features[7], features[8] = features[200], features[100] + 0.01 * features[101]
    found = find_neighbours(features, 0.999)
    assert found.pairs.tolist() == [[7, 200], [8, 100]]
    assert found.cosines[0] > found.cosines[1] >= 0.999


def test_what_is_far_from_all_is_odd(features):
    assert find_neighbours(features, 0.99).odd_ones[0] == 300


def test_blocks_give_what_one_gives(features, monkeypatch):
    whole = find_neighbours(features, 0.8)
    monkeypatch.setattr(neighbours, "_BLOCK", 64)
    blocks = find_neighbours(features, 0.8)
    assert sorted(map(tuple, blocks.pairs)) == sorted(map(tuple, whole.pairs))
    np.testing.assert_allclose(blocks.distances, whole.distances, atol=1e-6)


def test_fewer_examples_than_neighbours_are_compared_with_all(features):
    unit = features[:3] / np.linalg.norm(features[:3], axis=1, keepdims=True)
    cosines = unit @ unit.T
    expected = 1 - (cosines.sum(axis=1) - 1) / 2
    np.testing.assert_allclose(find_neighbours(features[:3], 1).distances, expected, atol=1e-6)


def test_features_of_zeros_are_similar_to_none(features):
    features[:2] = 0
    assert find_neighbours(features, 0.999).pairs.tolist() == []
