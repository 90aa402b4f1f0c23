"""The head's training step on features, 1280 → 512 → 5 at batches of 32, in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks.loops import Learner, TrainOnly, prefetched, repeated_fit, times
from benchmarks.measuring import (
    Claim,
    Contestant,
    Folders,
    Medians,
    milliseconds_per_step,
    warmed_up,
)
from benchmarks.products import products
from tasks.flowers import Flowers
from trainer import Config, Trainer
from trainer.data.pipeline.batches import num_batches
from trainer.features.features import Features
from trainer.loop.array_batches import FeatureBatches

EXAMPLES, WIDTH, CLASSES, BATCH = 1835, 1280, 5, 32
STEPS = num_batches(EXAMPLES, BATCH)
EPOCHS, ROUNDS = 10, 7

FIT, OURS, ORBIT = "Keras fit", "ours", "Orbit-style tf.while"
PRODUCTS, UPDATE = "the bare matrix products", "the products and Adam's update"


class WithEveryNorm(TrainOnly):
    """Computes the norm of its gradients at every step, as with `--log-every 1`."""

    def when_logged(self, value: Callable[[], tf.Tensor]) -> tf.Tensor:
        """The value, always."""
        return value()


def contestants(_: Folders) -> Sequence[Contestant]:
    """The usual loops, ours, and the limit of all; a run is ten epochs."""
    features = random_features()
    runs = {
        FIT: _fit(features, steps_per_execution=1),
        "Keras fit, steps_per_execution": _fit(features, steps_per_execution=STEPS),
        "a call a step": times(EPOCHS, _call_a_step(features)),
        ORBIT: times(EPOCHS, _while_loop(features)),
        OURS: _ours(features, TrainOnly),
        "ours, the gradient norm at every step": _ours(features, WithEveryNorm),
        UPDATE: times(EPOCHS, products(BATCH, WIDTH, STEPS, update=True)),
        PRODUCTS: times(EPOCHS, products(BATCH, WIDTH, STEPS, update=False)),
    }
    return warmed_up(
        [
            Contestant(name, milliseconds_per_step(run, EPOCHS * STEPS), ROUNDS)
            for name, run in runs.items()
        ]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as the others, and how near to the limit."""
    step = {name: measures["ms a step"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {FIT}", step[FIT] / step[OURS], at_least=3.5),
        Claim(f"times as fast as the {ORBIT}", step[ORBIT] / step[OURS], at_least=2.5),
        Claim(f"times as long as {UPDATE}", step[OURS] / step[UPDATE], at_most=1.15),
        Claim(f"times as long as {PRODUCTS}", step[OURS] / step[PRODUCTS]),
    ]


def random_features() -> Features:
    """Vectors and labels without any relation: only the time of training on them matters."""
    random = np.random.default_rng(0)
    vectors = random.random((EXAMPLES, WIDTH), np.float32)
    return Features(vectors, random.integers(0, CLASSES, EXAMPLES, np.int32))


def head_trainer(trainer_class: type[Trainer], config: Config, features: Features) -> Trainer:
    """A trainer of the flowers' head, on the same features in training and validation."""
    batches = FeatureBatches(features, BATCH, seed=0)
    names = [str(number) for number in range(CLASSES)]
    return trainer_class(Flowers(), config, names, {"train": batches, "validation": batches})


def _ours(features: Features, trainer_class: type[Trainer]) -> Callable[[], None]:
    config = Config(epochs=EPOCHS, batch_size=BATCH)
    return repeated_fit(head_trainer(trainer_class, config, features))


def _fit(features: Features, steps_per_execution: int) -> Callable[[], object]:
    model = Flowers().head(CLASSES)
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    batches = prefetched(_shuffled(features).batch(BATCH))
    return lambda: model.fit(batches, epochs=EPOCHS, shuffle=False, verbose=0)


def _call_a_step(features: Features) -> Callable[[], None]:
    learner = _learner()
    step = tf.function(learner.step)
    batches = prefetched(_shuffled(features).batch(BATCH))

    def epoch() -> None:
        for vectors, labels in batches:
            step(vectors, labels)
        learner.report()

    return epoch


def _while_loop(features: Features) -> Callable[[], None]:
    learner = _learner()
    iterator = iter(prefetched(_shuffled(features).repeat().batch(BATCH, drop_remainder=True)))

    @tf.function
    def steps(iterator: tf.data.Iterator, count: tf.Tensor) -> None:
        for _ in tf.range(count):
            learner.step(*next(iterator))

    def epoch() -> None:
        steps(iterator, tf.constant(STEPS))
        learner.report()

    return epoch


def _learner() -> Learner:
    return Learner(
        Flowers().head(CLASSES),
        [BATCH, WIDTH],
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        keras.metrics.SparseCategoricalAccuracy(),
    )


def _shuffled(features: Features) -> tf.data.Dataset:
    rows = tf.data.Dataset.from_tensor_slices((features.vectors, features.labels))
    return rows.cache().shuffle(EXAMPLES)
