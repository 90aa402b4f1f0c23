"""Milliseconds a step of the flowers' head under a strategy on one device: one or mirrored."""

import sys
import time

from trainer.core.tensorflow_import import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.head import BATCH, head_trainer, random_features  # noqa: E402
from benchmarks.loops import TrainOnly  # noqa: E402
from trainer import Config  # noqa: E402
from trainer.distribution.strategy import make_strategy  # noqa: E402
from trainer.distribution.variables import variables_of  # noqa: E402

STEPS, ROUNDS = 1000, 9

with variables_of(make_strategy(sys.argv[1], None)):
    trainer = head_trainer(TrainOnly, Config(epochs=1, batch_size=BATCH), random_features())
trainer.build()
of_epoch = trainer.batches["train"].make_iterator(0)
order = tf.repeat(of_epoch, STEPS // len(of_epoch) + 1, axis=0)
trainer._train_loop(order, 0, STEPS)
seconds = []
for _ in range(ROUNDS):
    began = time.perf_counter()
    trainer._train_loop(order, 0, STEPS)
    seconds.append(time.perf_counter() - began)
print(float(np.median(seconds)) / STEPS * 1e3)
