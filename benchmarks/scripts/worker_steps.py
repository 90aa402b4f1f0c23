"""Times steps and exchanges: alone, or as one of the workers that TF_CONFIG names.

Its arguments are a file, and the rows of a batch for features and for images. The first worker
writes the milliseconds there as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.core.tensorflow_import import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.loops import TrainOnly  # noqa: E402
from tasks.flowers import Flowers  # noqa: E402
from tasks.horses_cnn import HorsesCnn  # noqa: E402
from trainer import Config  # noqa: E402
from trainer.distribution.strategy import make_strategy  # noqa: E402
from trainer.distribution.variables import variables_of  # noqa: E402
from trainer.distribution.workers import Workers  # noqa: E402
from trainer.loop.array_batches import ArrayBatches  # noqa: E402

FEATURES, IMAGES = (1280,), (150, 150, 3)
STEPS = {FEATURES: 200, IMAGES: 12}
ROUNDS = 5

out, feature_rows, image_rows = sys.argv[1:]
strategy = make_strategy("workers" if "TF_CONFIG" in os.environ else "one", None)


def milliseconds(run: Callable[[], Any], calls: int) -> float:
    """Of one call: the median round, after one that is not measured."""
    run()
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        rounds.append(time.perf_counter() - began)
    return float(np.median(rounds)) / calls * 1e3


def milliseconds_per_step(task: Any, shape: tuple[int, ...], rows: int, classes: int) -> float:
    """Of training on arrays of noise, uncompiled as replicas are."""
    steps, random = STEPS[shape], np.random.default_rng(0)
    inputs = random.random((2 * rows, *shape), np.float32)
    labels = random.integers(0, classes, 2 * rows, np.int32)
    batches = ArrayBatches(inputs, labels, rows, seed=0)
    names = [str(number) for number in range(classes)]
    config = Config(batch_size=rows, jit="off", epochs=steps)
    with variables_of(strategy):
        trainer = TrainOnly(task, config, names, {"train": batches, "validation": batches})
    trainer.build()
    iterator = batches.make_iterator(0)
    last = min(steps, 1024)
    order = tf.repeat(iterator, last, axis=0)[:last]  # as many steps in one call
    return milliseconds(lambda: trainer._train_loop(order, 0, last), last)


def milliseconds_per_exchange(numbers: int) -> float:
    """Of summing up so many numbers over the workers, in a graph as a step does it."""
    times = 20

    @tf.function
    def exchanges(values: tf.Tensor) -> tf.Tensor:
        def of_replica(values: tf.Tensor) -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            for _ in tf.range(times):
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                values = replica.all_reduce(tf.distribute.ReduceOp.MEAN, values)
            return values

        return strategy.experimental_local_results(strategy.run(of_replica, (values,)))[0]

    values = tf.zeros([numbers])
    return milliseconds(lambda: exchanges(values).numpy(), times)


found = {
    "ms a step, features": milliseconds_per_step(Flowers(), FEATURES, int(feature_rows), 5),
    "ms a step, images": milliseconds_per_step(HorsesCnn(), IMAGES, int(image_rows), 2),
}
if "TF_CONFIG" in os.environ:
    with tf.device("CPU:0"):
        weights = [Flowers().head(5), HorsesCnn().head(2)]
    sizes = []
    for head, shape in zip(weights, (FEATURES, IMAGES), strict=True):
        head(tf.zeros([1, *shape]))
        sizes.append(sum(int(np.prod(v.shape)) for v in head.trainable_variables))
    found |= {
        "ms an exchange of one number": milliseconds_per_exchange(1),
        "ms an exchange of the gradients, features": milliseconds_per_exchange(sizes[0]),
        "ms an exchange of the gradients, images": milliseconds_per_exchange(sizes[1]),
    }
if Workers(strategy).is_chief:
    Path(out).write_text(json.dumps(found))
