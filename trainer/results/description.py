"""What TensorBoard shows of a run before its first step: its options, its graph, its inputs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.core.text import printable
from trainer.data.json_cache import JsonCache
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.pipeline.batches import decode_and_resize, preparation
from trainer.data.splits import Split
from trainer.data.thumbnails import encoded_images
from trainer.loop.trainer import Trainer
from trainer.report.figures.gallery import image_grid
from trainer.report.summaries import RUN, Summaries

SHOWN_INPUTS = 16

_ABOUT = "inputs of the network"
"""Part of the cache's key: to be changed whenever what is shown changes."""


def write_description(trainer: Trainer, summaries: Summaries, options: Mapping[str, Any]) -> None:
    """The options in the table of runs and as a text, and the graph of the training step.

    Raises:
        UserError: they cannot be written.
    """
    names = [*trainer.eval_metrics.step_names, *trainer.eval_metrics.names]
    cells = {name: _as_cell(value) for name, value in options.items()}
    summaries.write_options(cells, names)
    rows = (f"| {name} | {value} |" for name, value in trainer.config.as_json().items())
    summaries.write_text(
        RUN, 0, "config", "\n".join(["| option | value |", "| --- | --- |", *rows])
    )
    summaries.write_graph("train", trainer.traced_train_step.graph)


def shown_inputs(
    trainer: Trainer, train: Split | None, extracted_size: int | None, cache: JsonCache
) -> bytes | None:
    """A PNG of images as the network gets them, with their labels; None where it gets no images.

    Args:
        trainer: Before its first step.
        train: The images of the train split.
        extracted_size: The side of the images in pixels, where their features are kept.
        cache: Of what is shown of images whose features are kept: they need not be read again.
    """
    if train is not None and extracted_size is not None:
        made = preparation(trainer.config.resize)
        key = [_ABOUT, made, train.fingerprint, extracted_size, *_augmentation_key(trainer.config)]
        png = cache.get_or_compute(
            key, lambda: _as_text(_grid(trainer, *_of_extractor(trainer, train, extracted_size)))
        )
        return base64.b64decode(png)
    return _grid(trainer, *_first_batch(trainer)) if _takes_images(trainer) else None


def _grid(trainer: Trainer, images: Sequence[np.ndarray], labels: Sequence[Any]) -> bytes:
    pixels = [np.uint8(np.clip(image, 0, 1) * 255) for image in images]
    return image_grid(pixels, [_caption(label, trainer) for label in labels])


def _as_text(png: bytes) -> str:
    return base64.b64encode(png).decode()


def _augmentation_key(config: Config) -> list[Any]:
    augmentation = Augmentation.from_config(config)
    if augmentation is None or not config.augment_copies:
        return []
    return [EpochAugmentation(augmentation, config.seed, epoch=0).identity]


def _takes_images(trainer: Trainer) -> bool:
    spec, _, _ = trainer.batches["train"].batch_spec
    return isinstance(spec, tf.TensorSpec) and spec.shape.rank == 4 and spec.shape[3] in (1, 3)


def _first_batch(trainer: Trainer) -> tuple[list[np.ndarray], list[Any]]:
    """The images that the first step learns from, and their labels."""
    batches = trainer.batches["train"]
    (images, labels, _), _ = batches.get_next(batches.make_iterator(epoch=0), tf.constant(0))
    shown = min(SHOWN_INPUTS, batches.batch_size)
    rows = [
        tf.nest.map_structure(lambda column, n=n: column[n].numpy(), labels) for n in range(shown)
    ]
    return list(images[:shown].numpy()), rows


def _of_extractor(trainer: Trainer, train: Split, size: int) -> tuple[list[np.ndarray], list[Any]]:
    """Images from all over the split; where augmented copies stand in for them, of the first."""
    config, augmentation = trainer.config, Augmentation.from_config(trainer.config)
    shown = min(SHOWN_INPUTS, train.examples)
    places = [int(place) for place in np.linspace(0, train.examples - 1, shown)]
    images = [
        decode_and_resize(tf.constant(encoded), size, resize=config.resize)
        for encoded in encoded_images(train, places)
    ]
    if augmentation is not None and config.augment_copies:
        augment = EpochAugmentation(augmentation, config.seed, epoch=0)
        images = [augment(image, tf.constant(n)) for image, n in zip(images, places, strict=True)]
    labels = train.labels()[places]
    return [image.numpy() for image in images], list(labels)


def _caption(label: Any, trainer: Trainer) -> str:
    """A class's name; the labels that an image has; numbers as they are."""
    names = trainer.classes
    if isinstance(names, Mapping) or not isinstance(trainer.task.label_kind, str):
        return ""
    if trainer.task.label_kind == "numbers":
        return ", ".join(f"{number:.4g}" for number in np.ravel(label))
    shares = np.eye(len(names))[label] if np.ndim(label) == 0 else np.asarray(label)
    parts = [pair for pair in zip(map(printable, names), shares, strict=True) if pair[1]]
    return ", ".join(name if share == 1 else f"{name} {share:.2f}" for name, share in parts)


def _as_cell(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
