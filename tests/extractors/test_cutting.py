"""A network in two parts: what is frozen, and what is trained on its cached activations."""

import dataclasses
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, Hook, ImageClassification, Trainer, UserError
from trainer.config.transfer import TransferOptions
from trainer.extractors.cutting import cut_network, variables_below
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import Features
from trainer.loop.array_batches import ArrayBatches, FeatureBatches

SIDE, EXAMPLES, BATCH = 32, 24, 8
IMAGES = tf.random.stateless_uniform([EXAMPLES, SIDE, SIDE, 3], seed=[1, 2])
LABELS = np.arange(EXAMPLES, dtype=np.int32) % 3
MOBILE = {"extractor": "keras:MobileNetV2", "weights": "none", "unfreeze_from": "block_14_expand"}
STEPS = 50


@pytest.fixture
def of_hub(module_in_parts):
    return {"extractor": str(module_in_parts), "unfreeze_from": "low"}


@pytest.fixture(params=["keras", "hub"])
def options(request, of_hub):
    """How a network of either kind is cut."""
    return cut_at(**(MOBILE if request.param == "keras" else of_hub))


def cut_at(**options):
    return TransferOptions(transfer="finetune", image_size=SIDE, **options)


class Linear(ImageClassification):
    """Features to logits."""

    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(classes)])


class Losses(Hook):
    """Those of every step."""

    def __init__(self):
        self.values = []

    def on_steps_end(self, trainer, output):
        self.values += output.values["loss"].tolist()


def losses(layer, batches, options):
    names = [field.name for field in dataclasses.fields(TransferOptions)]
    config = Config(
        epochs=STEPS // batches.steps + 1,
        batch_size=BATCH,
        jit="off",
        **{
            **{name: getattr(options, name) for name in names},
            "finetune_learning_rate": 1e-4,
        },
    )
    splits = dict.fromkeys(("train", "validation", "test"), batches)
    trainer = Trainer(Linear(), config, ["a", "b", "c"], splits, layer)
    kept = Losses()
    trainer.fit([kept])
    return kept.values[:STEPS]


def losses_in_parts(options):
    cut = cut_network(options)
    trunk = Extractor.from_network(load_network(cut.trunk))
    features = Features(trunk(IMAGES).numpy(), LABELS)
    return losses(cut.upper, FeatureBatches(features, BATCH, 0, jit_on_cpu=False), options)


@pytest.mark.parametrize(
    "options", [pytest.param("keras", marks=pytest.mark.slow), "hub"], indirect=True
)
def test_the_upper_part_learns_from_activations_as_within_the_whole_network(options):
    whole = load_network(options, trainable=True).layer
    as_whole = losses(whole, ArrayBatches(IMAGES, LABELS, BATCH, seed=0), options)
    np.testing.assert_allclose(losses_in_parts(options), as_whole, atol=1e-4)


def test_its_batch_norms_learn_as_where_images_pass_the_frozen_part_too(of_hub):
    options = cut_at(**of_hub, batch_norm="learn")
    cut = cut_network(options)
    joined = cut.joined(load_network(cut.trunk)).layer
    as_joined = losses(joined, ArrayBatches(IMAGES, LABELS, BATCH, seed=0), options)
    np.testing.assert_allclose(losses_in_parts(options), as_joined, atol=1e-4)


def test_the_joined_parts_are_the_whole_network(options):
    cut = cut_network(options)
    joined = cut.joined(load_network(cut.trunk)).layer
    whole = load_network(options, trainable=True).layer
    np.testing.assert_allclose(joined(IMAGES), whole(IMAGES), rtol=1e-4, atol=1e-5)


def test_each_variable_of_the_network_is_of_one_of_the_parts(options):
    cut = cut_network(options)
    whole = load_network(options, trainable=True).layer
    below, above = variables_below(load_network(cut.trunk)), cut.upper.weights
    assert len(below) + len(above) == len(whole.weights)


@pytest.mark.parametrize(("batch_norm", "moves"), [("frozen", False), ("learn", True)])
def test_training_moves_the_averages_of_the_upper_part_where_they_learn(options, batch_norm, moves):
    cut = cut_network(dataclasses.replace(options, batch_norm=batch_norm))
    activations = load_network(cut.trunk).layer(IMAGES)
    before = [variable.numpy() for variable in cut.upper.non_trainable_variables]
    cut.upper(activations, training=True)
    after = [variable.numpy() for variable in cut.upper.non_trainable_variables]
    assert any((a != b).any() for a, b in zip(after, before, strict=True)) is moves


def test_a_module_without_stages_runs_whole(caplog):
    options = cut_at(extractor="efficientnet_lite0@block_2", unfreeze_from="block_1")
    with caplog.at_level(logging.INFO):
        assert cut_network(options) is None
    assert caplog.messages == [
        "--unfreeze-from block_1: efficientnet_lite0@block_2 has no functions of its stages;"
        " it runs whole in every step"
    ]


def test_a_keras_model_is_not_cut_within_a_residual_block(caplog):
    with caplog.at_level(logging.INFO):
        assert cut_network(cut_at(**{**MOBILE, "unfreeze_from": "block_14_project"})) is None
    assert "keras:MobileNetV2 passes 2 activations on there, not one" in caplog.text


def test_an_unknown_endpoint_is_refused(of_hub):
    with pytest.raises(UserError, match=r"has no endpoint 'middle'; there are low, high$"):
        cut_network(cut_at(**{**of_hub, "unfreeze_from": "middle"}))


def test_a_whole_module_is_frozen_below_its_endpoint(of_hub):
    layer = load_network(cut_at(**of_hub), trainable=True).layer
    assert [tuple(v.shape) for v in layer.trainable_variables] == [(3, 3, 4, 4), (4,), (4,)]
