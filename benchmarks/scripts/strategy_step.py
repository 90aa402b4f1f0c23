"""Milliseconds a step of the flowers' head under a strategy on one device: one or mirrored."""

import sys
import time

from trainer.core.tensorflow_import import import_tensorflow

import_tensorflow()

import numpy as np  # noqa: E402

from benchmarks.head import BATCH, STEPS, head_trainer, random_features  # noqa: E402
from benchmarks.loops import TrainOnly, repeated_epoch  # noqa: E402
from trainer import Config  # noqa: E402
from trainer.distribution.strategy import make_strategy  # noqa: E402
from trainer.distribution.variables import variables_of  # noqa: E402

EPOCHS = 15

with variables_of(make_strategy(sys.argv[1], None)):
    trainer = head_trainer(TrainOnly, Config(epochs=1, batch_size=BATCH), random_features())
epoch = repeated_epoch(trainer)
epoch()
seconds = []
for _ in range(EPOCHS):
    began = time.perf_counter()
    epoch()
    seconds.append(time.perf_counter() - began)
print(float(np.median(seconds)) / STEPS * 1e3)
