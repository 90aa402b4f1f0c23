"""Source and Split: what every reader of data returns, named splits of encoded examples."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import fingerprint
from trainer.data.labels import Names, from_columns
from trainer.data.own_data import Arrays, DataPipeline
from trainer.task import LabelKinds

CLASS_SPEC = tf.TensorSpec([], tf.int32)
"""Of a label that is a class."""

_LABEL_BATCH = 1024


@dataclasses.dataclass(frozen=True)
class Split:
    """The examples of one split, still encoded, in an order that never changes."""

    name: str
    examples: int
    fingerprint: str
    """Differs where the examples differ; computed without reading every image."""

    references: Callable[[], tf.data.Dataset]
    """Opens pairs (reference, label), a string scalar and what `label_spec` says. A reference is a
    path, or the encoded image itself where it has no file."""

    read: Callable[[tf.Tensor], tf.Tensor]
    """In a graph, from a reference to the image's encoded bytes (JPEG, PNG …)."""

    shuffle_buffer_size: int
    """How many references are shuffled at once, in memory: all of them, where they are paths."""

    describe: Callable[[int], str]
    """What messages call the example at a position: its file, where it has one."""

    first: int = 0
    """The position of its first example in the split that it is a slice of."""

    digests: Callable[[], Sequence[str]] | None = None
    """The SHA-256 of each example's encoded bytes as hex, if its reader keeps them."""

    label_spec: Any = CLASS_SPEC
    """Of one label: a class int32 [], float32 [names] for each name of the source, or a dict."""

    weights: np.ndarray | None = None
    """The weight of each example in losses and metrics, float32 [examples]; 1 where None."""

    groups: np.ndarray | None = None
    """The group of each example, text [examples], whose examples must not be torn between the parts
    of a cross-validation; "" for none, None where the data have no groups."""

    def labels(self) -> np.ndarray:
        """The label of each example, [examples, …]; no image is read where they have files."""
        labels = self.references().map(lambda _, label: label)
        batches = labels.batch(_LABEL_BATCH).as_numpy_iterator()
        return np.concatenate([from_columns(batch) for batch in batches])

    def with_indices(self) -> Split:
        """The same examples, whose labels are pairs (label, index), an int64 scalar."""
        # A function that only reorders costs nothing; one cast takes as long as to decode an icon.
        return dataclasses.replace(
            self,
            references=lambda: (
                self.references().enumerate().map(lambda index, pair: (pair[0], (pair[1], index)))
            ),
        )

    def slice(self, first: int, examples: int) -> Split:
        """So many of the examples, from position `first` on."""
        chosen = self.subset(
            range(first, first + examples),
            [first, examples],
            lambda: self.references().skip(first).take(examples),
        )
        return dataclasses.replace(chosen, first=self.first + first)

    def subset(
        self,
        positions: Sequence[int],
        key: Sequence[object],
        references: Callable[[], tf.data.Dataset],
    ) -> Split:
        """Some of the examples, as a split of their own.

        Args:
            positions: Which examples, in their order.
            key: Anything JSON takes that identifies the choice, for the fingerprint.
            references: Opens the pairs (reference, label) of these examples.
        """
        digests = self.digests and functools.partial(_at, positions, self.digests)
        return dataclasses.replace(
            self,
            examples=len(positions),
            fingerprint=fingerprint([self.fingerprint, *key]),
            references=references,
            describe=lambda position: self.describe(int(positions[position])),
            digests=digests,
            weights=None if self.weights is None else self.weights[np.asarray(positions, int)],
            groups=None if self.groups is None else self.groups[np.asarray(positions, int)],
        )


def joined(splits: Sequence[Split]) -> Split:
    """The examples of several splits of one source, one behind the other."""
    first = splits[0]
    starts = np.cumsum([0, *(split.examples for split in splits)])

    def describe(position: int) -> str:
        number = int(np.searchsorted(starts, position, side="right")) - 1
        return splits[number].describe(position - int(starts[number]))

    weights = [split.weights for split in splits if split.weights is not None]
    return dataclasses.replace(
        first,
        name="all",
        examples=int(starts[-1]),
        fingerprint=fingerprint([split.fingerprint for split in splits]),
        references=lambda: functools.reduce(
            lambda before, split: before.concatenate(split.references()),
            splits[1:],
            first.references(),
        ),
        describe=describe,
        digests=None,
        groups=None,
        weights=np.concatenate(weights) if weights else None,
    )


def _at(positions: Sequence[int], values: Callable[[], Sequence[str]]) -> list[str]:
    opened = values()
    return [opened[position] for position in positions]


@dataclasses.dataclass(frozen=True)
class Source:
    """The data of a run: its splits, its classes, and where they come from."""

    kind: str
    """tfds, folder, table, sample; arrays or pipeline where they are a task's own."""

    name: str
    version: str | None
    classes: Names
    """The names of the classes, of the labels that an image may have, or of its numbers."""

    splits: Mapping[str, Split]
    cut: tuple[str, ...] = ()
    """The splits that the data lack, which were therefore cut from train."""

    skipped: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The unreadable images that were skipped, and what is wrong with each."""

    label_kind: LabelKinds = "class"
    """What the label of an image is."""

    own_data: Mapping[str, Arrays | DataPipeline] | None = None
    """The examples of every split, where those of a task's own take the place of images."""

    def __post_init__(self) -> None:
        """Check that something can be learned from the data.

        Raises:
            UserError: fewer than two classes, or a split without examples.
        """
        if self.label_kind == "class" and len(self.classes) < 2:
            found = f"only {', '.join(self.classes)!r}" if self.classes else "none"
            hint = "put the images of each class into a folder of its own"
            raise UserError(
                f"{self.name}: classification needs two classes or more; found {found}"
                f"{'; ' + hint if self.kind == 'folder' else ''}"
            )
        for name, split in self.splits.items():
            if split.examples == 0:
                raise UserError(
                    f"{self.name}: the {name} split ({split.name}) has no examples;"
                    " training needs some in each of train, validation and test"
                )
            if split.weights is not None and not split.weights.any():
                raise UserError(
                    f"{self.name}: the {name} split ({split.name}) has weights of 0 alone; some"
                    " examples must count in each of train, validation and test"
                )

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, by label; none where labels are something else."""
        is_classes = self.label_kind == "class" and not isinstance(self.classes, Mapping)
        return tuple(self.classes) if is_classes else ()

    @property
    def image_splits(self) -> Sequence[Split]:
        """The splits whose examples are encoded images."""
        return () if self.own_data is not None else tuple(self.splits.values())

    @property
    def examples(self) -> dict[str, int]:
        """How many examples each split has."""
        return {name: split.examples for name, split in self.splits.items()}
