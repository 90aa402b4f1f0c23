"""The data of trials: read once for all that train on the same arrays."""

from __future__ import annotations

import json
from typing import Any

from trainer.config.augmentation import AugmentationOptions
from trainer.config.config import Config
from trainer.config.data import DataOptions
from trainer.config.transfer import TransferOptions
from trainer.core.errors import UserError
from trainer.data.labels import Names
from trainer.loop.array_batches import ArrayBatches
from trainer.loop.batches import Batches
from trainer.setup.batches import BatchFactory
from trainer.setup.data import load_data
from trainer.sweeping.trials.folds import FoldBatches, fold_rows, pool_groups, pooled
from trainer.task import Task

DATA_OPTIONS = [
    name
    for group in (DataOptions, TransferOptions, AugmentationOptions)
    for name in group.__dataclass_fields__
    if name not in ("finetune_learning_rate", "init_from")
]


class TrialData:
    """The arrays of every split, features or a task's own, in memory."""

    def __init__(self, task: Task, config: Config, folds: int | None, fold_seed: int = 0) -> None:
        """Read them; features that are not cached are extracted.

        Args:
            task: What is learned.
            config: Of a trial.
            folds: Into how many parts train and validation are cut.
            fold_seed: The cut follows from it.

        Raises:
            UserError: there are none, or they cannot be cut into so many parts.
        """
        source = load_data(task, config).source
        self.classes: Names = source.classes
        self._batches = self._read(task, config, source)
        self._folds = None
        if folds is not None:
            if self._batches is None:
                raise UserError(
                    "--folds is for what is in memory: the features of a frozen extractor, or"
                    " arrays of a task's own; omit it"
                )
            self._pool = pooled(self._batches)
            self._folds = fold_rows(self._pool.labels, pool_groups(source), folds, fold_seed)

    @property
    def is_in_memory(self) -> bool:
        """Whether there are arrays: images, and what is read from the disk, are in none."""
        return self._batches is not None

    def batches(self, config: Config, fold: int | None = None) -> dict[str, Batches]:
        """The batches of a trial, whose arrays are those of all others."""
        assert self._batches is not None, "only trials of data in memory take batches"
        size, seed = config.batch_size, config.seed
        of_splits: dict[str, Batches] = {
            name: batches.rebatched(size, seed) for name, batches in self._batches.items()
        }
        if fold is not None:
            assert self._folds is not None, "a trial of a fold is of a sweep with folds"
            pool = self._pool.rebatched(size, seed)
            for split, rows in zip(("train", "validation"), self._folds[fold], strict=True):
                of_splits[split] = FoldBatches(pool, rows)
        return of_splits

    def _read(self, task: Task, config: Config, source: Any) -> dict[str, ArrayBatches] | None:
        factory = BatchFactory(config, task.channels)
        if source.own_data is None and (not factory.uses_cached_features or factory.layer):
            return None
        read = factory.batches(source)
        in_memory = {n: b for n, b in read.items() if isinstance(b, ArrayBatches)}
        return in_memory if len(in_memory) == len(read) else None


def data_key(config: Config) -> str:
    """Equal for trials that train on the same arrays."""
    options = config.as_json()
    # Augmented copies and random extractors follow from the seed.
    is_random = config.weights == "none" or config.transfer_mode == "scratch"
    drawn = config.augment_copies or (config.uses_extractor and is_random)
    return json.dumps([[options[name] for name in DATA_OPTIONS], config.seed if drawn else None])
