"""The SavedModel of a run, as TensorFlow alone loads it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from trainer.config.transfer import TransferOptions
from trainer.data.pipeline.batches import decode_and_resize
from trainer.exporting.check import example_files, scores_of
from trainer.exporting.saved_model import write_saved_model
from trainer.exporting.served import ServedModel, example_inputs
from trainer.extractors.loading import load_network


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run as a SavedModel on the disk; without the check, which has tests of its own."""
    folders = {}

    def write(run):
        if run.folder not in folders:
            folders[run.folder] = tmp_path_factory.mktemp("saved") / "model"
            write_saved_model(ServedModel.from_run(run), folders[run.folder])
        return str(folders[run.folder])

    return write


def images_of(run):
    return tf.constant(example_inputs(ServedModel.from_run(run), 3)["images"])


def test_encoded_images_get_scores_and_class_names(written, frozen):
    serve = tf.saved_model.load(written(frozen)).signatures["serving_default"]
    files = example_files(8)
    answers = serve(image_bytes=tf.constant(files))
    assert answers["scores"].shape == (len(files), 3)
    np.testing.assert_allclose(tf.reduce_sum(answers["scores"], -1), 1, atol=1e-6)
    assert answers["classes"][0].numpy().tolist() == [b"cyan", b"magenta", b"yellow"]


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_encoded_images_become_the_squares_of_training(frozen, resize):
    served = ServedModel.from_run(frozen)
    config = dataclasses.replace(frozen.config, resize=resize)
    served = dataclasses.replace(served, run=dataclasses.replace(served.run, config=config))
    files = example_files(served.image_size)
    trained = tf.data.Dataset.from_tensor_slices(files).map(
        lambda encoded: decode_and_resize(encoded, served.image_size, 3, resize)
    )
    images = tf.function(served.images)(tf.constant(files))
    np.testing.assert_allclose(images, list(trained), atol=1e-6)


def test_float_images_get_the_scores_of_the_run(written, frozen):
    inputs = example_inputs(ServedModel.from_run(frozen), 3)
    answers = tf.saved_model.load(written(frozen)).signatures["images"](
        tf.constant(inputs["images"])
    )
    expected = scores_of(ServedModel.from_run(frozen), inputs)
    np.testing.assert_allclose(answers["scores"], expected["scores"], atol=1e-6)


def test_scores_are_calibrated(written, frozen):
    temperature, images = frozen.result["calibration"]["temperature"], images_of(frozen)
    model = tf.saved_model.load(written(frozen))
    expected = tf.nn.softmax(model(images) / temperature)
    assert abs(temperature - 1) > 0.01
    np.testing.assert_allclose(model.signatures["images"](images)["scores"], expected, atol=1e-6)


def test_a_hub_layer_gives_logits_and_on_demand_the_feature_vector(written, frozen):
    images = images_of(frozen)
    logits = hub.KerasLayer(written(frozen))(images)
    endpoints = hub.KerasLayer(written(frozen), arguments={"return_endpoints": True})(images)
    np.testing.assert_array_equal(endpoints["default"], logits)
    features = endpoints["feature_vector"]
    assert features.shape == (3, 4)
    np.testing.assert_allclose(frozen.model(features), logits, atol=1e-6)


def test_what_was_frozen_is_not_trainable(written, frozen):
    assert not hub.KerasLayer(written(frozen), trainable=True).trainable_variables


@pytest.mark.slow
def test_a_fine_tuned_module_is_trainable_with_its_trained_weights(written, finetuned):
    layer, images = hub.KerasLayer(written(finetuned), trainable=True), images_of(finetuned)
    assert len(layer.trainable_variables) == len(finetuned.model.trainable_variables)
    np.testing.assert_allclose(layer(images), finetuned.model(images), atol=1e-6)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images, training=True) ** 2) + tf.add_n(layer.losses)
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


def test_regularization_losses_come_with_the_module(written, convolutional, finetuned):
    for run in (convolutional, finetuned):
        layer = hub.KerasLayer(written(run), trainable=True)
        run.model(images_of(run), training=False)
        np.testing.assert_allclose(sum(layer.losses), sum(run.model.losses), rtol=1e-6)


def test_training_mode_drops_units_and_moves_the_batch_norm(written, convolutional):
    layer = hub.KerasLayer(written(convolutional), trainable=True)
    before = [variable.numpy() for variable in layer.variables]
    images = images_of(convolutional)
    assert np.any(layer(images, training=True) != layer(images, training=False))
    unlike = [np.any(b != v) for b, v in zip(before, layer.variables, strict=True)]
    assert any(unlike)


def test_an_exported_module_is_an_extractor_again(written, frozen):
    name = f"{written(frozen)}@feature_vector"
    assert load_network(TransferOptions(extractor=name, image_size=8)).shape == (4,)


@pytest.mark.slow
def test_several_outputs_have_a_pair_each(written, two_outputs):
    answers = tf.saved_model.load(written(two_outputs)).signatures["images"](images_of(two_outputs))
    assert set(answers) == {"kind_scores", "kind_classes", "size_scores", "size_classes"}
    assert answers["kind_classes"][0].numpy().tolist() == [b"cyan", b"magenta", b"yellow"]
    assert answers["size_scores"].shape == (3, 1)


def test_own_inputs_have_a_signature_by_their_names_alone(written, pairs):
    model = tf.saved_model.load(written(pairs))
    assert list(model.signatures) == ["serving_default"]
    inputs = example_inputs(ServedModel.from_run(pairs), 3)
    assert set(inputs) == {"left", "right"}
    answers = model.signatures["serving_default"](**tf.nest.map_structure(tf.constant, inputs))
    np.testing.assert_allclose(answers["scores"], pairs.model(inputs), atol=1e-6)
