"""Photos of tf_flowers as files in folders: `python -m benchmarks.photo_files TFDS_DIR FOLDER 480`.

FOLDER/{train,validation,test}/<class>/<number>.jpg    half, a quarter and a quarter
"""

from __future__ import annotations

import sys
from pathlib import Path

from tasks.flowers import Flowers
from trainer.data.readers.tfds import tfds_source

SPLIT_OF = ("train", "validation", "train", "test")


def write_photos(data_dir: Path, folder: Path, photos: int) -> None:
    """Write the first photos of the dataset as they are: the bytes of their JPEGs."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{photos}]"}, data_dir)
    for number, (encoded, label) in enumerate(source.splits["train"].references()):
        split = SPLIT_OF[number % len(SPLIT_OF)]
        path = folder / split / source.class_names[int(label)] / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.numpy())


if __name__ == "__main__":
    write_photos(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
