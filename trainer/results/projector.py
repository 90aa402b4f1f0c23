"""`--projector`: validation images by their features, for TensorBoard's projector.

FOLDER/projector_config.pbtxt names the files in FOLDER/projector: features and names as tables,
and the thumbnails in one picture.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from trainer.core import atomic
from trainer.data.json_cache import JsonCache
from trainer.data.splits import Split
from trainer.data.thumbnails import thumbnails
from trainer.evaluation.outputs import Output
from trainer.extractors.inner_maps import chain
from trainer.loop.trainer import Trainer

MOST_IMAGES = 1000
SPRITE_SIDE = 64
"""Pixels of a thumbnail."""


def write_projector(
    folder: Path, features: np.ndarray, output: Output, split: Split | None, cache: JsonCache
) -> None:
    """Write the first examples of a split.

    Args:
        folder: The run's.
        features: float32 [examples, width].
        output: The labels and predictions of the same examples, and maybe more.
        split: Their images, where they are some.
        cache: Of thumbnails.

    Raises:
        OSError: they cannot be written.
    """
    from tensorboard.plugins import projector

    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "features"
    embedding.tensor_path = "projector/features.tsv"
    embedding.metadata_path = "projector/names.tsv"
    (folder / "projector").mkdir(exist_ok=True)
    atomic.write_text(folder / embedding.tensor_path, _table(features))
    atomic.write_text(folder / embedding.metadata_path, _names(output, len(features)))
    if split is not None:
        embedding.sprite.image_path = "projector/images.png"
        embedding.sprite.single_image_dim.extend([SPRITE_SIDE, SPRITE_SIDE])
        atomic.write_bytes(
            folder / embedding.sprite.image_path, _sprite(split, len(features), cache)
        )
    projector.visualize_embeddings(str(folder), config)


def validation_features(trainer: Trainer, are_kept: bool) -> np.ndarray:
    """What the last layer of the model takes of the first validation examples, [examples, width].

    Args:
        trainer: With the best weights.
        are_kept: Whether the batches are all features of an extractor, which are taken instead.
    """
    batches = trainer.batches["validation"]
    examples, iterator = min(batches.examples, MOST_IMAGES), batches.make_iterator(None)
    layers = [] if are_kept else list(chain([trainer.model]))[:-1]
    steps = -(-examples // batches.batch_size)
    inputs = (batches.get_next(iterator, tf.constant(step))[0][0] for step in range(steps))
    return np.concatenate([_averaged(_through(layers, one)) for one in inputs])[:examples]


def _through(layers: list[keras.layers.Layer], outputs: Any) -> Any:
    for layer in layers:
        outputs = layer(outputs, training=False)
    return outputs


def _averaged(outputs: tf.Tensor) -> np.ndarray:
    """Maps as vectors."""
    axes = list(range(1, len(outputs.shape) - 1))
    return tf.reduce_mean(outputs, axes).numpy() if axes else outputs.numpy()


def _table(features: np.ndarray) -> str:
    text = io.StringIO()
    np.savetxt(text, features, "%.4g", delimiter="\t")
    return text.getvalue()


def _names(output: Output, examples: int) -> str:
    """What each example is, and what is predicted: as the projector colours and finds them."""
    if output.kind == "class":
        true = (output.names[label] for label in output.labels)
        predicted = (output.names[label] for label in output.predicted)
        rows = ["true\tpredicted", *map("\t".join, zip(true, predicted, strict=True))]
    else:
        header = "\t".join(output.names)
        labels = ("\t".join(f"{value:.4g}" for value in row) for row in output.labels)
        rows = [header, *labels] if len(output.names) > 1 else list(labels)
    kept = rows[: examples + (len(rows) > output.examples)]
    return "\n".join(row.replace("\n", " ") for row in kept) + "\n"


def _sprite(split: Split, examples: int, cache: JsonCache) -> bytes:
    """The thumbnails in rows, as many as there are columns."""
    columns = int(np.ceil(np.sqrt(examples)))
    sheet = Image.new("RGB", (columns * SPRITE_SIDE, columns * SPRITE_SIDE), "white")
    for number, thumbnail in enumerate(thumbnails(split, range(examples), SPRITE_SIDE, cache)):
        image = Image.fromarray(thumbnail.pixels)
        sheet.paste(image, (number % columns * SPRITE_SIDE, number // columns * SPRITE_SIDE))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
