"""The network below a head, loaded as the options say."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.config.transfer import TransferOptions
from trainer.extractors.loading import Extractor, extractor_identity, load_network

IMAGES = tf.random.stateless_uniform([2, 32, 32, 3], seed=[1, 2])
CUT = "efficientnet_lite0@block_2"
MOBILE = "keras:MobileNetV2"


def transfer(extractor=CUT, **options):
    return TransferOptions(extractor=extractor, image_size=32, **options)


@pytest.fixture(scope="module")
def tuned():
    """A module to train, cut at an endpoint."""
    options = transfer(transfer="finetune", batch_norm="learn")
    return load_network(options, trainable=True).layer


@pytest.fixture
def extracted_maps(tiny_modules):
    """The features of two 8x8 images, of a module of maps [8, 8, 4], by options."""

    def extracted(**options):
        network = load_network(TransferOptions(extractor=str(tiny_modules / "map"), **options))
        return Extractor.from_network(network)(IMAGES[:, :8, :8]).numpy()

    return extracted


# Frozen, and cut early.


def test_an_extractor_is_cut_at_an_endpoint(tuned):
    cut = Extractor.from_network(load_network(transfer()))(IMAGES)
    np.testing.assert_allclose(cut, tuned(IMAGES, training=False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("pool", "by_hand"),
    [
        ("avg", lambda maps: maps.mean((1, 2))),
        ("max", lambda maps: maps.max((1, 2))),
        ("flatten", lambda maps: maps.reshape(2, -1)),
    ],
)
def test_a_map_is_pooled_to_a_vector(extracted_maps, pool, by_hand):
    maps = extracted_maps(head="avg")
    np.testing.assert_allclose(extracted_maps(pool=pool), by_hand(maps), rtol=1e-5, atol=1e-6)


def test_maps_are_not_pooled_for_a_head_of_maps(extracted_maps):
    assert extracted_maps(head="flatten").shape == (2, 8, 8, 4)


def test_the_features_of_a_keras_model_are_pooled():
    assert Extractor.from_network(load_network(transfer(MOBILE, weights="none")))(IMAGES).shape == (
        2,
        1280,
    )


# Trained.


def test_a_trainable_module_has_gradients(tuned):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tuned(IMAGES, training=True))
    gradients = tape.gradient(loss, tuned.trainable_variables)
    assert any(gradient is not None for gradient in gradients)


def test_a_module_in_training_updates_its_batch_norms(tuned):
    before = [variable.numpy() for variable in tuned.non_trainable_variables]
    tuned(IMAGES, training=True)
    after = [variable.numpy() for variable in tuned.non_trainable_variables]
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


def test_a_frozen_network_has_no_trainable_weights(vector_module):
    layer = load_network(TransferOptions(extractor=str(vector_module))).layer
    assert layer.trainable_variables == []


def test_a_module_without_trainable_weights_cannot_be_trained(vector_module):
    with pytest.raises(UserError, match=r"vector has no trainable weights; choose --transfer fr"):
        load_network(
            TransferOptions(extractor=str(vector_module), transfer="finetune"), trainable=True
        )


@pytest.mark.slow
def test_a_frozen_keras_model_drops_nothing_out_in_training():
    options = transfer("keras:EfficientNetB0", weights="none")
    layer = load_network(options).layer
    np.testing.assert_array_equal(layer(IMAGES, training=True), layer(IMAGES, training=False))


def test_a_keras_model_is_trained_from_a_layer_on():
    options = {"transfer": "finetune", "weights": "none", "unfreeze_from": "Conv_1"}
    options["batch_norm"] = "learn"
    layer = load_network(transfer(MOBILE, **options), trainable=True).layer
    assert len(layer.trainable_variables) == 3  # a kernel, and a norm's scale and shift


@pytest.mark.slow
def test_from_scratch_the_weights_follow_from_the_seed():
    first, again, other = (
        load_network(transfer(transfer="scratch"), seed, trainable=True).layer(IMAGES)
        for seed in (0, 0, 1)
    )
    assert (np.array_equal(first, again), np.array_equal(first, other)) == (True, False)


# The identity of features.


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
def test_an_option_that_changes_features_changes_their_identity(other):
    asked = {"extractor": CUT, "image_size": 32, **other}
    assert extractor_identity(TransferOptions(**asked)) != extractor_identity(transfer())


def test_random_weights_are_identified_by_their_seed():
    first, second = (extractor_identity(transfer(MOBILE, weights="none"), seed) for seed in (0, 1))
    assert first != second


def test_a_file_of_weights_is_identified_by_its_content(tmp_path):
    file = tmp_path / "a.h5"
    file.write_bytes(b"one")
    first = extractor_identity(transfer(MOBILE, weights=str(file)))
    file.write_bytes(b"two")
    assert extractor_identity(transfer(MOBILE, weights=str(file))) != first


def test_features_computed_with_onednn_have_an_identity_of_their_own(monkeypatch):
    identities = []
    for enabled in (False, True):
        monkeypatch.setattr("trainer.extractors.loading.onednn_enabled", lambda: enabled)  # noqa: B023
        identities.append(extractor_identity(transfer()))
    assert identities[0] != identities[1]


# Mistakes.


def test_an_unknown_endpoint_is_answered_with_the_known_ones():
    with pytest.raises(UserError, match=r"no endpoint 'blok'; there are .*block_2, .*top_conv"):
        load_network(transfer("efficientnet_lite0@blok"))


def test_transfer_early_needs_an_endpoint():
    with pytest.raises(UserError, match=r"needs an endpoint; there are .*block_2"):
        load_network(transfer("efficientnet_lite0", transfer="early"))


def test_a_module_without_endpoints_cannot_be_cut(vector_module):
    with pytest.raises(UserError, match=r"vector@top: this module has no endpoints"):
        load_network(TransferOptions(extractor=f"{vector_module}@top"))


def head_error(extractor, **options):
    with pytest.raises(UserError) as error:
        load_network(transfer(extractor, head="flatten", **options))
    return str(error.value)


def test_a_head_of_maps_is_told_the_endpoints_of_a_module_of_vectors():
    told = head_error("efficientnet_lite0")
    assert told.startswith(
        "--head flatten needs feature maps, and efficientnet_lite0 gives vectors; choose"
        " --extractor efficientnet_lite0@top_conv, say, of the endpoints stem, block_0, block_1,"
    )
    assert told.endswith("block_15, top_conv, or omit --head")


def test_an_endpoint_of_vectors_is_none_of_those_that_are_told():
    assert "default" not in head_error("efficientnet_lite0@default").partition("choose")[2]


def test_a_head_of_maps_is_told_that_the_end_of_a_keras_model_has_them():
    told = head_error("keras:EfficientNetB0@block1a_se_squeeze", weights="none")
    assert told.endswith("gives vectors; choose --extractor keras:EfficientNetB0, or omit --head")


def test_a_head_of_maps_is_told_that_a_module_has_no_endpoints(vector_module):
    with pytest.raises(UserError, match=r"gives vectors and has no endpoint with maps; omit --he"):
        load_network(TransferOptions(extractor=str(vector_module), head="avg"))
