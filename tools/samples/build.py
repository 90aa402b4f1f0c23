"""Builds the samples as data: every picture drawn, and kept as TFDS keeps a prepared dataset."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.random import Generator
from PIL import Image

from tools.samples import digits
from tools.samples.dogs import pictures as dogs
from tools.samples.fashion import pictures as fashion
from tools.samples.flowers import pictures as flowers
from tools.samples.horses import pictures as horses

VERSION = "1.0.0"
"""Of every sample; raised whenever a picture changes."""

_SPLITS = ("train", "validation", "test")
_HELD_OUT_SHARE = 5  # one picture in five for validation, and one in five for the test
_JPEG_QUALITY = 50  # at which all samples together stay below 20 MB
_SEED = 1
_COLOUR, _GREY = (None, None, 3), (28, 28, 1)


@dataclass(frozen=True)
class Sample:
    """Pictures of some classes, and how one of a class is drawn."""

    classes: tuple[str, ...]
    """In the order of the dataset that the sample stands in for."""

    examples: int
    """How many pictures, all splits together."""

    draw: Callable[[str, Generator], Image.Image]

    shape: tuple[int | None, int | None, int] = _COLOUR
    """Height, width and channels of a picture."""


SAMPLES = {
    "flowers": Sample(flowers.CLASSES, 1000, flowers.draw),
    "horses": Sample(horses.CLASSES, 600, horses.draw),
    "rendered_horses": Sample(horses.CLASSES, 800, horses.draw_rendered),
    "dogs": Sample(dogs.CLASSES, 1200, dogs.draw),
    "digits": Sample(digits.CLASSES, 3000, digits.draw, _GREY),
    "fashion": Sample(fashion.CLASSES, 2000, fashion.draw, _GREY),
}


def build_sample(name: str, folder: Path) -> None:
    """Draw a sample into `folder/<name>/<version>`, which TFDS then reads as a dataset."""
    tfds.disable_progress_bar()
    sample = SAMPLES[name]
    sizes = zip(_SPLITS, split_sizes(sample.examples), strict=True)
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=VERSION,
        description="A built-in sample of trainer, drawn by tools/samples.",
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=sample.shape, encoding_format="jpeg"),
                "label": tfds.features.ClassLabel(names=list(sample.classes)),
            }
        ),
        split_datasets={split: list(enumerate(examples(sample, split, n))) for split, n in sizes},
        data_dir=folder,
        disable_shuffling=True,  # the first examples of a split are of all the classes
        download_config=tfds.download.DownloadConfig(try_download_gcs=False),
    )


def split_sizes(count: int) -> tuple[int, int, int]:
    """How many of so many pictures train, validate and test."""
    held_out = count // _HELD_OUT_SHARE
    return count - 2 * held_out, held_out, held_out


def examples(sample: Sample, split: str, count: int) -> Iterator[dict[str, Any]]:
    """The first pictures of a split with their labels, the classes in turn."""
    for position in range(count):
        number, label = divmod(position, len(sample.classes))
        seed = [_SEED, _SPLITS.index(split), label, number]
        picture = sample.draw(sample.classes[label], np.random.default_rng(seed))
        yield {"image": _encoded(picture), "label": label}


def _encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return file.getvalue()
