"""Training on augmented and mixed images, through the loop, the losses and the metrics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tasks.horses import Horses
from trainer import Config, ImageClassification, Trainer
from trainer.data.pipeline.augmentation import PRESETS
from trainer.data.pipeline.mixup import Mixing
from trainer.data.splits import Split
from trainer.loop.batches import ImageBatches

SIDE, EXAMPLES, BATCH = 8, 20, 8
MIXING = Mixing(2, mixup=0.2, cutmix=1.0)


class Softmax(ImageClassification):
    def head(self, classes):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])


class OneLogit(Horses):
    def head(self, classes):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes - 1)])


@pytest.fixture(scope="module")
def split():
    """Red noise and blue noise."""
    labels = np.arange(EXAMPLES, dtype=np.int32) % 2
    colours = np.array([[200, 50, 0], [0, 50, 200]])[labels][:, None, None]
    pixels = colours + np.random.default_rng(0).integers(0, 56, [EXAMPLES, SIDE, SIDE, 3])
    images = [tf.io.encode_png(picture.astype(np.uint8)).numpy() for picture in pixels]
    references = tf.data.Dataset.from_tensor_slices((images, labels))
    return Split("noise", EXAMPLES, "", lambda: references, tf.identity, EXAMPLES, str)


def trained(task, split, mixing, epochs=1):
    batches = {
        "train": ImageBatches(split, SIDE, BATCH, 0, PRESETS["light"], mixing),
        "validation": ImageBatches(split, SIDE, BATCH, 0),
    }
    config = Config(epochs=epochs, batch_size=BATCH, learning_rate=0.01)
    trainer = Trainer(task, config, ["red", "blue"], batches)
    trainer.fit()
    return trainer


@pytest.mark.parametrize(
    ("task", "mixing"),
    [
        pytest.param(Softmax(), None, marks=pytest.mark.slow, id="softmax"),
        pytest.param(Softmax(), MIXING, marks=pytest.mark.slow, id="softmax, mixed"),
        pytest.param(OneLogit(), None, marks=pytest.mark.slow, id="one logit"),
        pytest.param(OneLogit(), MIXING, id="one logit, mixed"),
    ],
)
def test_it_learns_from_augmented_and_mixed_images(task, split, mixing):
    trainer = trained(task, split, mixing, epochs=3)
    assert trainer.evaluate("validation")["accuracy"] > 0.9


@pytest.mark.parametrize("task", [Softmax(), OneLogit()], ids=["softmax", "one logit"])
def test_its_metrics_of_training_count_every_example_once(task, split):
    metrics = trained(task, split, MIXING).train_metrics.result()
    assert 0 <= metrics["accuracy"] <= 1
    assert metrics["accuracy"] * EXAMPLES == pytest.approx(round(metrics["accuracy"] * EXAMPLES))


@pytest.mark.slow
def test_one_seed_gives_the_same_weights_to_the_bit(split):
    one, again = (trained(Softmax(), split, MIXING, epochs=2) for _ in range(2))
    for variable, other in zip(one.model.variables, again.model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), other.numpy())


def test_the_training_split_too_can_be_evaluated(split):
    assert 0 <= trained(Softmax(), split, MIXING).evaluate("train")["accuracy"] <= 1
