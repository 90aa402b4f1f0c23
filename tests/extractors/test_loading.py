"""The network below a head, as the options ask for it."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.extractors.loading import Extractor, extractor_identity, load_network

IMAGES = tf.random.stateless_uniform([2, 32, 32, 3], seed=[1, 2])
CUT = "efficientnet_lite0@block_2"
MOBILE = "keras:MobileNetV2"


def config(extractor=CUT, **options):
    return Config(extractor=extractor, image_size=32, **options)


@pytest.fixture(scope="module")
def tuned():
    """A module that learns, cut at an endpoint."""
    return load_network(config(transfer="finetune"), learns=True).layer


@pytest.fixture
def of_maps(tiny_modules):
    """What a module that gives maps [8, 8, 4] of 8x8 images makes of two, by options."""

    def extracted(**options):
        network = load_network(Config(extractor=str(tiny_modules / "map"), **options))
        return Extractor.of(network)(IMAGES[:, :8, :8]).numpy()

    return extracted


# Frozen, and cut early.


def test_an_extractor_is_cut_at_an_endpoint(tuned):
    cut = Extractor.of(load_network(config()))(IMAGES)
    np.testing.assert_allclose(cut, tuned(IMAGES, training=False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("pool", "by_hand"),
    [
        ("avg", lambda maps: maps.mean((1, 2))),
        ("max", lambda maps: maps.max((1, 2))),
        ("flatten", lambda maps: maps.reshape(2, -1)),
    ],
)
def test_a_map_is_pooled_to_a_vector(of_maps, pool, by_hand):
    maps = of_maps(head="avg")
    np.testing.assert_allclose(of_maps(pool=pool), by_hand(maps), rtol=1e-5, atol=1e-6)


def test_a_head_of_maps_is_given_maps(of_maps):
    assert of_maps(head="flatten").shape == (2, 8, 8, 4)


def test_the_features_of_a_model_of_keras_are_pooled():
    assert Extractor.of(load_network(config(MOBILE, weights="none")))(IMAGES).shape == (2, 1280)


# Learning.


def test_a_module_learns(tuned):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tuned(IMAGES, training=True))
    gradients = tape.gradient(loss, tuned.trainable_variables)
    assert any(gradient is not None for gradient in gradients)


def test_a_module_moves_its_averages_while_it_learns(tuned):
    before = [variable.numpy() for variable in tuned.non_trainable_variables]
    tuned(IMAGES, training=True)
    after = [variable.numpy() for variable in tuned.non_trainable_variables]
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


def test_what_does_not_learn_has_no_trainable_weights(vector_module):
    layer = load_network(Config(extractor=str(vector_module))).layer
    assert layer.trainable_variables == []


def test_a_module_whose_weights_are_fixed_cannot_learn(vector_module):
    with pytest.raises(UserError, match=r"vector has no weights that can learn; use --transfer fr"):
        load_network(Config(extractor=str(vector_module), transfer="finetune"), learns=True)


def test_a_model_of_keras_learns_from_a_layer_on():
    options = {"transfer": "finetune", "weights": "none", "unfreeze_from": "Conv_1"}
    layer = load_network(config(MOBILE, **options), learns=True).layer
    assert len(layer.trainable_variables) == 3  # a kernel, and a norm's scale and shift


def test_from_scratch_the_weights_follow_from_the_seed():
    first, again, other = (
        load_network(config(transfer="scratch", seed=seed), learns=True).layer(IMAGES)
        for seed in (0, 0, 1)
    )
    assert (np.array_equal(first, again), np.array_equal(first, other)) == (True, False)


# What features are told apart by.


@pytest.mark.parametrize(
    "other",
    [
        {"extractor": "efficientnet_lite0@block_3"},
        {"extractor": "efficientnet_lite0"},
        {"pool": "max"},
        {"head": "avg"},
        {"image_size": 64},
        {"extractor": MOBILE},
    ],
    ids=str,
)
def test_what_shapes_features_is_in_their_identity(other):
    asked = {"extractor": CUT, "image_size": 32, **other}
    assert extractor_identity(Config(**asked)) != extractor_identity(config())


def test_random_weights_of_another_seed_are_another_extractor():
    first, second = (
        extractor_identity(config(MOBILE, weights="none", seed=seed)) for seed in (0, 1)
    )
    assert first != second


def test_a_file_of_weights_is_told_by_its_content(tmp_path):
    file = tmp_path / "a.h5"
    file.write_bytes(b"one")
    first = extractor_identity(config(MOBILE, weights=str(file)))
    file.write_bytes(b"two")
    assert extractor_identity(config(MOBILE, weights=str(file))) != first


# Mistakes.


def test_an_unknown_endpoint_is_told_those_there_are():
    with pytest.raises(UserError, match=r"no endpoint 'blok'; there are .*block_2, .*top_conv"):
        load_network(config("efficientnet_lite0@blok"))


def test_to_cut_early_takes_an_endpoint():
    with pytest.raises(UserError, match=r"needs an endpoint; there are .*block_2"):
        load_network(config("efficientnet_lite0", transfer="early"))


def test_a_module_without_endpoints_is_told_so(vector_module):
    with pytest.raises(UserError, match=r"vector@top: this module has no endpoints"):
        load_network(Config(extractor=f"{vector_module}@top"))


def test_a_head_of_maps_is_refused_vectors(vector_module):
    with pytest.raises(
        UserError, match=r"^--head avg takes maps of features, and .* gives vectors"
    ):
        load_network(Config(extractor=str(vector_module), head="avg"))
