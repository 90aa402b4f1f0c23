"""Specifications of the embedded extractor, EfficientNet-Lite0."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

MODULES = Path(__file__).parents[2] / "trainer" / "modules"
PATH = str(MODULES / "efficientnet_lite0")
SHAPES_AT_224 = (
    {"stem": (112, 112, 32), "block_0": (112, 112, 16)}
    | {f"block_{index}": (56, 56, 24) for index in (1, 2)}
    | {f"block_{index}": (28, 28, 40) for index in (3, 4)}
    | {f"block_{index}": (14, 14, 80) for index in (5, 6, 7)}
    | {f"block_{index}": (14, 14, 112) for index in (8, 9, 10)}
    | {f"block_{index}": (7, 7, 192) for index in (11, 12, 13, 14)}
    | {"block_15": (7, 7, 320), "top_conv": (7, 7, 1280), "default": (1280,)}
)


@pytest.fixture(scope="module")
def frozen() -> hub.KerasLayer:
    """The extractor as it is used without fine-tuning."""
    return hub.KerasLayer(PATH)


@pytest.fixture(scope="module")
def tuned() -> hub.KerasLayer:
    """An extractor to fine-tune, whose averages the tests before have moved."""
    return hub.KerasLayer(PATH, trainable=True)


@pytest.fixture(scope="module")
def endpoints() -> hub.KerasLayer:
    """The extractor that returns all its stages."""
    return hub.KerasLayer(PATH, arguments={"return_endpoints": True})


def noise(*shape: int) -> tf.Tensor:
    """The same uniform numbers in [0, 1] for the same shape."""
    return tf.random.stateless_uniform(shape, seed=(1, 2))


def colour_ramps() -> tf.Tensor:
    """A float32 image [1, 224, 224, 3]: red grows downwards, green across, blue with both."""
    ramp = tf.linspace(0.0, 1.0, 224)
    across, down = tf.meshgrid(ramp, ramp)
    return tf.stack([down, across, down * across], axis=-1)[tf.newaxis]


def changed(extractor: hub.KerasLayer, call: Callable[[], object]) -> set[str]:
    """Names of the variables that the call leaves with another value."""
    before = [variable.numpy() for variable in extractor.variables]
    call()
    return {
        variable.name
        for variable, value in zip(extractor.variables, before, strict=True)
        if not np.array_equal(variable.numpy(), value)
    }


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 224, 224), (3, 160, 160), (2, 97, 130)])
def test_gives_1280_features_an_image_at_any_batch_and_size(
    frozen: hub.KerasLayer, batch: int, height: int, width: int
) -> None:
    """Nothing of the input is fixed but its channels."""
    assert frozen(noise(batch, height, width, 3)).shape == (batch, 1280)


def test_gives_the_features_of_an_independent_implementation(frozen: hub.KerasLayer) -> None:
    """Means of each 160 features, by the PyPI package efficientnet-lite-pytorch 0.1.0."""
    means = tf.reduce_mean(tf.reshape(frozen(colour_ramps()), (8, 160)), axis=1)
    reference = [0.081885, 0.059380, 0.094361, 0.069107, 0.087442, 0.105237, 0.067738, 0.082544]
    np.testing.assert_allclose(means, reference, rtol=1e-3)


def test_gives_every_stage_as_endpoint(endpoints: hub.KerasLayer) -> None:
    """The names and shapes of the README."""
    outputs = endpoints(noise(2, 224, 224, 3))
    assert {name: tuple(output.shape[1:]) for name, output in outputs.items()} == SHAPES_AT_224


def test_gives_the_features_as_default_endpoint(
    frozen: hub.KerasLayer, endpoints: hub.KerasLayer
) -> None:
    """Asking for endpoints does not change the features."""
    images = noise(2, 64, 64, 3)
    np.testing.assert_allclose(endpoints(images)["default"], frozen(images), rtol=1e-4, atol=1e-5)


def test_leaves_every_variable_alone_while_frozen(frozen: hub.KerasLayer) -> None:
    """Even in a training step of the head on top."""
    assert not changed(frozen, lambda: frozen(noise(2, 64, 64, 3), training=True))


def test_has_nothing_to_train_while_frozen(frozen: hub.KerasLayer) -> None:
    """An optimiser given its variables gets none."""
    assert not frozen.trainable_variables


@pytest.mark.parametrize("training", [pytest.param(False, marks=pytest.mark.slow), True])
def test_lets_gradients_reach_every_trainable_variable(
    tuned: hub.KerasLayer, training: bool
) -> None:
    """With batch-norm in either mode: 49 convolutions, and a scale and an offset for each."""
    with tf.GradientTape() as tape:
        features = tuned(noise(2, 64, 64, 3), training=training)
    gradients = tape.gradient(features, tuned.trainable_variables)
    assert len([gradient for gradient in gradients if gradient is not None]) == 3 * 49


def test_moves_every_moving_average_in_training(tuned: hub.KerasLayer) -> None:
    """Means and variances, and nothing else."""
    averages = {variable.name for variable in tuned.non_trainable_variables}
    assert changed(tuned, lambda: tuned(noise(2, 64, 64, 3), training=True)) == averages


def test_moves_the_averages_a_hundredth_of_the_way_to_the_batch(tuned: hub.KerasLayer) -> None:
    """Seen at the first batch-norm, whose input can be computed here."""
    named = {variable.name: variable for variable in tuned.variables}
    mean = named["bn0/running_mean:0"]
    images = noise(2, 64, 64, 3)
    stem = tf.nn.conv2d((255 * images - 127) / 128, named["conv_stem/weight:0"], 2, "SAME")
    expected = 0.99 * mean.numpy() + 0.01 * tf.reduce_mean(stem, axis=(0, 1, 2)).numpy()
    tuned(images, training=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-3, atol=1e-5)


def test_leaves_the_averages_alone_in_inference_while_trainable(tuned: hub.KerasLayer) -> None:
    """Evaluation between two epochs of fine-tuning changes nothing."""
    assert not changed(tuned, lambda: tuned(noise(2, 64, 64, 3), training=False))


def features_from(
    module: Any, endpoint: str, activation: tf.Tensor, training: bool = False
) -> tf.Tensor:
    """As the README of the modules has it."""
    while endpoint != "default":
        step = module.from_endpoint[endpoint]
        [(endpoint, activation)] = step(activation, training=training).items()
    return activation


def traced_tail(module: Any, endpoint: str, training: bool) -> Any:
    """The concrete function of what lies above an endpoint."""
    activation = tf.TensorSpec([None, None, None, SHAPES_AT_224[endpoint][-1]])
    return tf.function(features_from).get_concrete_function(module, endpoint, activation, training)


@pytest.mark.parametrize("endpoint", ["stem", "block_0", "block_10", "block_15"])
def test_computes_the_features_from_an_endpoint_on(
    endpoints: hub.KerasLayer, endpoint: str
) -> None:
    """Of images of any size, by hub.KerasLayer's object."""
    outputs = endpoints(noise(2, 97, 130, 3))
    features = features_from(endpoints.resolved_object, endpoint, outputs[endpoint])
    np.testing.assert_allclose(features, outputs["default"], rtol=1e-4, atol=1e-5)


def test_goes_on_from_every_endpoint_that_has_weights_above_it(endpoints: hub.KerasLayer) -> None:
    """Behind the last convolution there is nothing to train."""
    assert set(endpoints.resolved_object.from_endpoint) == set(SHAPES_AT_224) - {
        "top_conv",
        "default",
    }


@pytest.mark.parametrize("training", [False, True])
def test_traced_above_an_endpoint_names_the_variables_there(training: bool) -> None:
    """They are the module's own: five blocks of three convolutions above block_10, and the last."""
    module = tf.saved_model.load(PATH)
    variables = traced_tail(module, "block_10", training).variables
    above = [f"block_{index}" for index in range(11, 16)] + ["conv_head", "bn1"]
    expected = {v.name for v in module.variables if v.name.split("/")[0] in above}
    assert {variable.name for variable in variables} == expected
    assert {id(variable) for variable in variables} <= {id(v) for v in module.variables}


@pytest.mark.parametrize("training", [False, True])
def test_lets_gradients_reach_everything_above_an_endpoint(training: bool) -> None:
    """Kernels, scales and offsets, with batch norm in either mode."""
    module = tf.saved_model.load(PATH)  # of whose variables the tail has only weak references
    tail = traced_tail(module, "block_10", training)
    with tf.GradientTape() as tape:
        features = tail(noise(2, 4, 4, 112))
    gradients = tape.gradient(features, tail.trainable_variables)
    assert len(gradients) == 3 * 16
    assert all(gradient is not None and np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize(("training", "moved"), [(False, 0), (True, 2 * 16)])
def test_moves_only_averages_above_an_endpoint(
    tuned: hub.KerasLayer, training: bool, moved: int
) -> None:
    """In training, those of the 16 batch norms there; else none."""
    module, maps = tuned.resolved_object, noise(2, 4, 4, 112)
    names = changed(tuned, lambda: features_from(module, "block_10", maps, training))
    assert len(names) == moved
    assert not any(name.startswith(("conv_stem", "block_10/", "bn0")) for name in names)


def test_leaves_weight_decay_to_the_optimiser(tuned: hub.KerasLayer) -> None:
    """No regularisation loss hides in the module."""
    assert tuned.losses == []


def test_loads_without_tensorflow_hub(frozen: hub.KerasLayer) -> None:
    """TensorFlow alone serves the same features."""
    images = noise(2, 64, 64, 3)
    extractor = tf.saved_model.load(PATH)
    np.testing.assert_allclose(extractor(images), frozen(images), rtol=1e-4, atol=1e-5)


def test_has_exactly_the_files_that_the_readme_tells() -> None:
    """By SHA-256, so that no change is silent."""
    readme = (MODULES / "README.md").read_text(encoding="utf-8")
    told = {path: checksum for checksum, path in re.findall(r"^(\w{64})  (\S+)$", readme, re.M)}
    files = [file for file in Path(PATH).rglob("*") if file.is_file()]
    assert told == {
        file.relative_to(MODULES).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }
