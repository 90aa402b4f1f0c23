"""A process that asks for the features of some pictures; tests start several of them.

`python sharing_process.py STORE EXAMPLES SECONDS LOG` prints "ready", waits for a line, and
extracts with that many seconds a batch. LOG gets the number of each picture that passed. At the
end it prints how many it extracted.
"""

import io
import logging
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from trainer.core.hashing import fingerprint
from trainer.data.splits import Split
from trainer.extractors.loading import Extractor
from trainer.features.store import FeatureSpec, FeatureStore


def numbered_picture(number: int) -> bytes:
    """A picture whose one colour has its number, as PNG."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 200)).save(file, "PNG")
    return file.getvalue()


def split_of_numbers(examples: int) -> Split:
    """So many pictures, labelled by their numbers."""
    pictures = [numbered_picture(number) for number in range(examples)]
    references = tf.data.Dataset.from_tensor_slices((pictures, tf.range(examples)))
    return Split(
        name="numbers",
        examples=examples,
        fingerprint=fingerprint(examples),
        references=lambda: references,
        read=tf.identity,
        shuffle_buffer_size=examples,
        describe="picture {}".format,
    )


def numbers_of(images: np.ndarray) -> list[int]:
    """The numbers of pictures [batch, 8, 8, 3] in [0, 1]."""
    red, green = np.rint(images[:, 0, 0, :2] * 255).astype(int).T
    return (red + 256 * green).tolist()


def slow_extractor(seconds: float, log: Path | None = None) -> Extractor:
    """The mean colour of each picture, after so many seconds a batch."""

    def network(images: tf.Tensor) -> tf.Tensor:
        time.sleep(seconds)
        if log is not None:
            with log.open("a") as file:
                file.write("".join(f"{number}\n" for number in numbers_of(images.numpy())))
        return tf.reduce_mean(images, [1, 2])

    return Extractor("mean colour", 8, (3,), network)


def spec_of(examples: int, extractor: Extractor) -> FeatureSpec:
    """The features of so many pictures."""
    return FeatureSpec(
        "numbers", {"examples": examples}, split_of_numbers(examples), lambda: extractor
    )


def main(folder: str, examples: str, seconds: str, log: str) -> None:
    """Extract; see the module."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    store = FeatureStore(Path(folder))
    spec = spec_of(int(examples), slow_extractor(float(seconds), Path(log)))
    print("ready", flush=True)
    sys.stdin.readline()
    features = store.features(spec).load()
    assert (numbers_of(features.vectors[:, None, None]) == np.arange(int(examples))).all()
    print("extracted", store.extracted, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
