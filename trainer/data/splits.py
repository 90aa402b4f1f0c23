"""What every source of data comes down to: named splits of encoded examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint

_COUNTED_TOGETHER = 1024


@dataclasses.dataclass(frozen=True)
class Split:
    """The examples of one split, still encoded, in an order that never changes."""

    name: str
    examples: int
    fingerprint: str
    """Another where the examples are others, without a look at every byte."""

    references: Callable[[], tf.data.Dataset]
    """Opens pairs (reference, label): a scalar string, light where it can be, and an int32."""

    read: Callable[[tf.Tensor], tf.Tensor]
    """In the graph, from a reference to the image's encoded bytes (JPEG, PNG …)."""

    shuffle_buffer_size: int
    """How many references may be in memory at once: all, where they are paths."""

    describe: Callable[[int], str]
    """How a message names the example at a position: its file, where it has one."""

    first: int = 0
    """The position of its first example in the split that it is a part of."""

    def labels(self) -> np.ndarray:
        """The class of each example, int32 [examples], without a look at its image."""
        labels = self.references().map(lambda _, label: label)
        return np.concatenate(list(labels.batch(_COUNTED_TOGETHER).as_numpy_iterator()))

    def part(self, first: int, examples: int) -> Split:
        """Some of the examples, from number `first` on."""
        return dataclasses.replace(
            self,
            examples=examples,
            fingerprint=fingerprint([self.fingerprint, first, examples]),
            references=lambda: self.references().skip(first).take(examples),
            describe=lambda position: self.describe(first + position),
            first=self.first + first,
        )


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a run's data come from."""

    kind: str
    """tfds, folder or sample."""

    name: str
    version: str | None
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    cut: tuple[str, ...] = ()
    """Which of the splits the data lack: they were cut from their train."""

    skipped: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The images that were left out, for they cannot be read; and what is wrong with each."""

    def __post_init__(self) -> None:
        """Refuse data that nothing can be learnt from.

        Raises:
            UserError: fewer than two classes, or a split without examples.
        """
        if len(self.classes) < 2:
            found = f"only {self.classes[0]!r}" if self.classes else "none"
            raise UserError(
                f"{self.name}: telling classes apart takes two or more; found {found};"
                " put the images of each class into a folder of its own"
            )
        for name, split in self.splits.items():
            if split.examples == 0:
                raise UserError(
                    f"{self.name}: the {name} split ({split.name}) has no examples;"
                    " training needs some in each of train, validation and test"
                )

    @property
    def examples(self) -> dict[str, int]:
        """How many examples each split has."""
        return {name: split.examples for name, split in self.splits.items()}
