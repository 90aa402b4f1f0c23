"""A small task on features that a linear model separates, for the tests of the loop around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from trainer import Config, EpochRecord, ImageClassification
from trainer.checkpoints.training_state import TrainingState
from trainer.core.run_folder import RunFolder
from trainer.features.features import Features
from trainer.loop.array_batches import FeatureBatches
from trainer.loop.batches import Batches
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


class Tiny(ImageClassification):
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


def tiny_config(**options: object) -> Config:
    """Two epochs of seven steps, not compiled, if no option says otherwise."""
    small = {"epochs": 2, "batch_size": BATCH, "learning_rate": 0.01, "jit": "off"}
    return Config(**{**small, **options})


def tiny_trainer(trainer_class: type[Trainer] = Trainer, **options: object) -> Trainer:
    config = tiny_config(**options)
    batches: dict[str, Batches] = {
        split: FeatureBatches(features(split), config.batch_size, config.seed) for split in SIZES
    }
    return trainer_class(Tiny(), config, ["a", "b", "c"], batches)


@pytest.fixture
def make_trainer() -> Callable[..., Trainer]:
    return tiny_trainer


class TracedTrainers:
    """Trainers that are traced once and used by many tests, each from its first step on.

    For tests of what stands around the loop: to build and to trace one takes seconds.
    """

    UNTRACED = frozenset(
        {"epochs", "patience", "stop_at", "max_minutes", "checkpoint_every", "dry_run"}
    )
    """Options that are in no graph and no initial value, with a constant learning rate."""

    def __init__(self) -> None:
        self._free: dict[str, list[tuple[Trainer, list[np.ndarray]]]] = {}
        self._in_use: list[tuple[str, tuple[Trainer, list[np.ndarray]]]] = []

    def make(self, trainer_class: type[Trainer] = Trainer, **options: object) -> Trainer:
        """One that no other has in this test."""
        traced = {name: value for name, value in options.items() if name not in self.UNTRACED}
        if trainer_class is not Trainer or "schedule" in traced:
            return tiny_trainer(trainer_class, **options)
        key = repr(sorted(traced.items()))
        free = self._free.setdefault(key, [])
        trainer, initial = free.pop() if free else self._build(options)
        self._in_use.append((key, (trainer, initial)))
        trainer.config = tiny_config(**options)
        trainer.step, trainer.history, trainer.stopped, trainer.summaries = 0, [], None, None
        for variable, value in zip(variables_of(trainer), initial, strict=True):
            variable.assign(value)
        return trainer

    def give_back(self) -> None:
        """Let other tests have those of this test."""
        for key, one in self._in_use:
            self._free[key].append(one)
        self._in_use.clear()

    def _build(self, options: dict[str, object]) -> tuple[Trainer, list[np.ndarray]]:
        trainer = tiny_trainer(**options)
        trainer.build()
        return trainer, [variable.numpy() for variable in variables_of(trainer)]


def variables_of(trainer: Trainer) -> list[keras.Variable]:
    metrics = (*trainer.train_metrics.variables, *trainer.eval_metrics.variables)
    return [*trainer.model.variables, *trainer.optimizer.variables, *metrics]


TRACED_TRAINERS = TracedTrainers()


@pytest.fixture
def make_traced_trainer() -> Iterator[Callable[..., Trainer]]:
    """As `make_trainer`, with trainers that other tests have traced."""
    yield TRACED_TRAINERS.make
    TRACED_TRAINERS.give_back()


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
