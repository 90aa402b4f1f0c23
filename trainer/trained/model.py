"""The trainer and the model of a finished run, built again; with the data of a split, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.checkpoints.batch_specs import spec_from_json
from trainer.checkpoints.store import Checkpoint, newest_checkpoint
from trainer.checkpoints.warm_start import CheckpointReader, load_best_weights
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder
from trainer.data.labels import Names, names_from_json
from trainer.loop.batches import Batch, Batches
from trainer.loop.trainer import Trainer
from trainer.setup.batches import BatchFactory
from trainer.task import Task


def load_model(run: Path, task: Task, config: Config, trainer_class: type[Trainer]) -> keras.Model:
    """The model of a run with its best weights, as its trainer builds it.

    Raises:
        UserError: the run has no checkpoint, or is of another model than the code builds now.
    """
    factory = BatchFactory(config, task.channels)
    return load_trainer(run, task, config, trainer_class, factory).model


def load_trainer(
    run: Path,
    task: Task,
    config: Config,
    trainer_class: type[Trainer],
    factory: BatchFactory,
    batches: Mapping[str, Batches] | None = None,
) -> Trainer:
    """The trainer of a run, whose model has the best weights.

    Args:
        run: The folder.
        task: What it has learned.
        config: How.
        trainer_class: Its trainer.
        factory: Of the config.
        batches: The splits that there are; of the others the trainer knows the shapes alone.

    Raises:
        UserError: the run has no checkpoint, or is of another model than the code builds now.
    """
    checkpoint = _checkpoint(run)
    splits = {**_shapes_of_splits(checkpoint), **(batches or {})}
    trainer = trainer_class(task, config, _classes(checkpoint), splits, factory.layer)
    load_best_weights(trainer.model, CheckpointReader(run))
    return trainer


def classes_of(run: Path) -> Names:
    """The names of the classes that a run has learned, by label; of several outputs by output.

    Raises:
        UserError: the run has no checkpoint.
    """
    return _classes(_checkpoint(run))


class SplitShape(Batches):
    """The size of a split and the shapes of its batches, without its examples."""

    xla_compatible = False
    jit_on_cpu = False

    def __init__(self, examples: int, batch_spec: tuple[Any, Any, tf.TensorSpec]) -> None:
        """As many examples, in batches of these shapes."""
        self.examples, self.batch_spec = examples, batch_spec
        self.batch_size = batch_spec[2].shape[0]

    @property
    def labels(self) -> np.ndarray:
        """None are known."""
        return np.zeros([0], np.int32)

    def make_iterator(self, epoch: int | None, first: int = 0) -> Any:
        """Not possible."""
        raise NotImplementedError("a loaded run has no data; train or evaluate it by its command")

    def get_next(self, iterator: Any, step: tf.Tensor) -> tuple[Batch, tf.Tensor]:
        """Not possible."""
        raise NotImplementedError


def _checkpoint(run: Path) -> Checkpoint:
    checkpoint = newest_checkpoint(RunFolder(run).checkpoints)
    if checkpoint is None:
        raise UserError(f"{run} has no checkpoint; train again")
    return checkpoint


def _classes(checkpoint: Checkpoint) -> Names:
    return names_from_json(checkpoint.training["environment"]["classes"])


def _shapes_of_splits(checkpoint: Checkpoint) -> Mapping[str, Batches]:
    examples = checkpoint.training["environment"]["examples"]
    spec = spec_from_json(checkpoint.training["batch_spec"])
    return {split: SplitShape(count, spec) for split, count in examples.items()}
