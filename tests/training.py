"""A small task on features that a linear model separates, for the tests of the loop around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from trainer import Config, EpochRecord, Task
from trainer.checkpoints.training_state import TrainingState
from trainer.core.run_folder import RunFolder
from trainer.features.features import Features
from trainer.loop.batches import Batches, FeatureBatches
from trainer.loop.trainer import Trainer
from trainer.report.clock import Clock

WIDTH, CLASSES, BATCH = 6, 3, 8
SIZES = {"train": 50, "validation": 21, "test": 17}

ENVIRONMENT = {
    "classes": ["a", "b", "c"],
    "examples": SIZES,
    "data": {split: f"fingerprint of {split}" for split in SIZES},
    "versions": {"python": "3.11", "tensorflow": "2.21"},
    "cores": 2,
    "gpus": 0,
    "onednn": True,
}


class Tiny(Task):
    """Three classes from six numbers, with dropout so that randomness has a part in it."""

    def head(self, classes: int) -> keras.Model:
        layers = keras.layers
        return keras.Sequential(
            [layers.Dense(16, "relu"), layers.Dropout(0.25), layers.Dense(classes)]
        )


class WithoutDropout(Trainer):
    """Steps that depend on nothing but the examples."""

    def build_model(self) -> keras.Model:
        return keras.Sequential([keras.layers.Dense(len(self.classes))])


def features(split: str) -> Features:
    random = np.random.default_rng(list(SIZES).index(split))
    labels = random.integers(0, CLASSES, SIZES[split]).astype(np.int32)
    vectors = random.normal(size=(SIZES[split], WIDTH)) + 2 * np.eye(WIDTH)[labels]
    return Features(vectors.astype(np.float32), labels)


def epoch_record(epoch: int, **validation: float) -> EpochRecord:
    """The record of an epoch whose losses are 1 and whose accuracies are one half."""
    train = {"loss": 1.0, "accuracy": 0.5, "gradient_norm": 1.0}
    metrics = {"train": train, "validation": {"loss": 1.0, "accuracy": 0.5, **validation}}
    return EpochRecord(epoch, 7 * epoch, 0.1, metrics)


@pytest.fixture
def make_trainer() -> Callable[..., Trainer]:
    def make(trainer_class: type[Trainer] = Trainer, **options: object) -> Trainer:
        config = Config(**{"epochs": 2, "batch_size": BATCH, "learning_rate": 0.01, **options})
        batches: dict[str, Batches] = {
            split: FeatureBatches(features(split), config.batch_size, config.seed)
            for split in SIZES
        }
        return trainer_class(Tiny(), config, ["a", "b", "c"], batches)

    return make


@pytest.fixture
def weights() -> Callable[[Trainer], list[np.ndarray]]:
    return lambda trainer: [v.numpy() for v in trainer.model.trainable_variables]


@pytest.fixture
def state_of(tmp_path: Path) -> Callable[..., TrainingState]:
    """The state of a trainer whose run folder is tmp_path, in an environment that may differ."""

    def make(trainer: Trainer, clock: Clock | None = None, **environment: object) -> TrainingState:
        here = {**ENVIRONMENT, **environment}
        return TrainingState(trainer, RunFolder(tmp_path), clock or Clock(), here)

    return make
