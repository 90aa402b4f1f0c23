"""A task of one's own arrays for sweeps, in a module that processes of a sweep import too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TASK = """
import keras
import numpy as np

import trainer

SIZES = {"train": 60, "validation": 25, "test": 20}


class Blobs(trainer.ImageClassification):
    defaults = trainer.Config(extractor="none", epochs=3, batch_size=8, report=False)

    def data(self):
        random, found = np.random.default_rng(0), {}
        for split, size in SIZES.items():
            labels = random.integers(0, 3, size)
            inputs = random.normal(size=(size, 6)) + 1.5 * np.eye(6)[labels]
            found[split] = inputs.astype(np.float32), labels.astype(np.int32)
        return found

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [layers.Dense(16, "relu"), layers.Dropout(0.25), layers.Dense(classes)]
        )


class Noisy(Blobs):
    \"\"\"Its head draws numbers of its own, which a shared program would keep.\"\"\"

    def head(self, classes):
        scale = keras.ops.convert_to_tensor(np.random.uniform(0.5, 1.5, 6).astype("float32"))
        return keras.Sequential([keras.layers.Rescaling(scale), keras.layers.Dense(classes)])


class Pixels(trainer.ImageClassification):
    defaults = trainer.Config(extractor="none", image_size=8, epochs=2, report=False)

    def head(self, classes):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])


class Halving(trainer.Trainer):
    \"\"\"Reads an option while it is traced.\"\"\"

    def compute_loss(self, labels, logits, sample_weight, training=True):
        loss = super().compute_loss(labels, logits, sample_weight, training)
        return loss * (1 + self.config.learning_rate)


class FailAtTwo(trainer.Hook):
    def on_epoch_end(self, trainer, record):
        if record.epoch == 2 and trainer.config.seed == 2:
            raise ValueError("the second epoch is too much")
"""


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that sweep_tasks.py is in, which this process and those of sweeps look into."""
    folder = tmp_path_factory.mktemp("sweep_tasks")
    (folder / "sweep_tasks.py").write_text(TASK)
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))
