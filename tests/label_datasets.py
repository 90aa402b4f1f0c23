"""Datasets of TFDS whose labels are several, numbers, or of several outputs."""

import numpy as np
import tensorflow_datasets as tfds

TAGS = ([], [0], [2, 1], [3, 3])
"""The tags of the pictures 0, 1, 2 and 3, then again from the first."""

FEATURES = {
    "image": tfds.features.Image(shape=(4, 4, 3)),
    "kind": tfds.features.ClassLabel(names=["rose", "tulip", "daisy"]),
    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=["red", "wild", "wet", "old"])),
    "size": tfds.features.Scalar(np.int64),
    "pose": tfds.features.Tensor(shape=(3,), dtype=np.float32),
    "note": tfds.features.Text(),
}


def picture(number):
    return {
        "image": np.full([4, 4, 3], 10 * number, np.uint8),
        "kind": number % 3,
        "tags": TAGS[number % 4],
        "size": number - 5,
        "pose": np.array([number, number / 2, -number], np.float32),
        "note": "a note",
    }


def store_pictures(folder, name, keys, splits, **changed):
    """Prepares a dataset of pictures with some features; `changed` are a split's other values."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tfds.features.FeaturesDict({key: FEATURES[key] for key in keys}),
        split_datasets={
            split: [
                (
                    n,
                    {
                        k: v
                        for k, v in {**picture(n), **changed.get(split, {})}.items()
                        if k in keys
                    },
                )
                for n in range(count)
            ]
            for split, count in splits.items()
        },
        data_dir=folder,
    )


def store_label_datasets(folder):
    """Prepares "tagged", "sized", "posed" and "mixed", 12 pictures each, with such labels."""
    labels = {"tagged": ["tags"], "sized": ["size"], "posed": ["pose"], "mixed": list(FEATURES)}
    for name, keys in labels.items():
        store_pictures(folder, name, ["image", *keys], {"train": 12})
