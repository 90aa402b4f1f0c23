"""Datasets of TFDS as a source, their images left encoded."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import file_state, fingerprint
from trainer.data.readers.tfds_splits import split_expressions
from trainer.data.splits import Source, Split

PROBE_SECONDS = 10
"""How long a download's server may take to answer before we say that there is no network."""

SHUFFLED_TOGETHER = 8_192
"""Encoded images held in memory for shuffling: TFDS has shuffled its files already."""


class Keys(NamedTuple):
    """What a dataset calls the image and the class of its examples."""

    image: str
    label: str


def default_data_dir() -> Path:
    """Where TFDS keeps its datasets when it is not told; without importing TFDS."""
    return Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()


def is_prepared(dataset: str, data_dir: Path) -> bool:
    """Whether TFDS can read the dataset from the folder as it is."""
    # TFDS takes seconds to import; where it has no folder there is nothing to ask it.
    if not (data_dir / _bare_name(dataset)).is_dir():
        return False
    return bool(_builder(dataset, data_dir).is_prepared())


def _bare_name(dataset: str) -> str:
    """Without the config and the version that TFDS lets a name pin: "name/config:1.0.0"."""
    return dataset.partition("/")[0].partition(":")[0]


def dataset_files(dataset: str, data_dir: Path) -> list[list[str | int]]:
    """The files that TFDS keeps of a dataset: name, size and time of each."""
    folder = data_dir / _bare_name(dataset)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [file_state(path, data_dir) for path in paths]


def tfds_source(dataset: str, splits: Mapping[str, str] | None, data_dir: Path) -> Source:
    """The dataset's splits, read from the folder; downloaded and prepared there first if need be.

    Without split expressions the splits are the dataset's own, and what it lacks cut from them.

    Raises:
        UserError: TFDS knows no such dataset or split, it cannot be downloaded, or it is not one
            of images with a class each.
    """
    builder = _builder(dataset, data_dir)
    keys = _keys(dataset, builder)
    if not builder.is_prepared():
        _download(dataset, builder, data_dir)
    cut: tuple[str, ...] = ()
    if splits is None:
        splits, cut = split_expressions(_labelled_sizes(dataset, builder, keys))
    files = dataset_files(dataset, data_dir)
    label = builder.info.features[keys.label]
    return Source(
        kind="tfds",
        name=dataset,
        version=str(builder.version),
        classes=tuple(label.names if label.num_classes else ()),
        splits={name: _split(builder, keys, splits[name], files) for name in splits},
        cut=cut,
    )


def require_labelled_images(dataset: str, data_dir: Path) -> None:
    """Ask TFDS, without a download, whether one can learn classes from a dataset of that name.

    Raises:
        UserError: it knows none, or not one of images with a class each.
    """
    _keys(dataset, _builder(dataset, data_dir))


def _builder(dataset: str, data_dir: Path) -> Any:
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        builder = tfds.builder(dataset, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        raise _unknown(dataset) from None
    except (OSError, ValueError, AssertionError, ParseError) as error:
        reason = _without_arguments(_first_line(error))
        raise UserError(f"TFDS cannot open {dataset} in {data_dir}: {reason}") from error
    if builder.name != _bare_name(dataset):  # TFDS takes TfFlowers too, and keeps it elsewhere
        raise _unknown(dataset)
    return builder


def _without_arguments(reason: str) -> str:
    """Of what TFDS says: those of its own function come before it, and a list of others behind."""
    return reason.rpartition('}": ')[2].partition(". Here are ")[0].rstrip(".")


def _unknown(dataset: str) -> UserError:
    import tensorflow_datasets as tfds

    names = tfds.list_builders(with_community_datasets=False)  # those that need no network
    nearest = difflib.get_close_matches(_bare_name(dataset), names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return UserError(f"TFDS knows no dataset {dataset!r}{hint}")


def _keys(dataset: str, builder: Any) -> Keys:
    import tensorflow_datasets as tfds

    def is_image(feature: Any) -> bool:
        # A LabeledImage has a class for each pixel; a float one is kept as if it were RGBA.
        whole = isinstance(feature, tfds.features.Image) and feature.np_dtype != np.float32
        return whole and not isinstance(feature, tfds.features.LabeledImage)

    def is_label(feature: Any) -> bool:
        return isinstance(feature, tfds.features.ClassLabel)

    return Keys(
        _only_key(dataset, builder, "image", is_image),
        _only_key(dataset, builder, "class label", is_label),
    )


def _only_key(dataset: str, builder: Any, kind: str, suits: Callable[[Any], bool]) -> str:
    """The one feature that suits; of several the one that TFDS gives for supervised learning."""
    features = dict(builder.info.features or {})
    found = sorted(key for key, feature in features.items() if suits(feature))
    supervised = [key for key in found if key in (builder.info.supervised_keys or ())]
    for choice in (found, supervised):
        if len(choice) == 1:
            return choice[0]
    having = f"{len(found)} {kind}s ({', '.join(found)})" if found else f"no {kind}"
    raise UserError(f"{dataset} of TFDS is no classification of images: its examples have {having}")


def _labelled_sizes(dataset: str, builder: Any, keys: Keys) -> dict[str, int]:
    """How many examples each split has whose classes the dataset tells."""
    sizes = {
        name: split.num_examples
        for name, split in builder.info.splits.items()
        if split.num_examples and _has_labels(builder, keys, name)
    }
    if not sizes:
        raise UserError(f"{dataset} of TFDS tells the classes of no example")
    return sizes


def _has_labels(builder: Any, keys: Keys, split: str) -> bool:
    # Where a test is a contest, TFDS has -1 in place of the classes.
    import tensorflow_datasets as tfds

    label_alone = tfds.decode.PartialDecoding({keys.label: True})
    [example] = builder.as_dataset(split=f"{split}[:1]", decoders=label_alone)
    return int(example[keys.label]) >= 0


def _download(dataset: str, builder: Any, data_dir: Path) -> None:
    _require_network(dataset, builder, data_dir)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever of the network, the disk or the archive TFDS met
        raise UserError(
            f"TFDS could not download {dataset} into {data_dir}: {_first_line(error)};"
            " try again, or give other data as --data sample|PATH"
        ) from error


def _require_network(dataset: str, builder: Any, data_dir: Path) -> None:
    """Ask the first server of the download once: TFDS itself retries for three minutes."""
    import requests

    for url in list(builder.url_infos or {})[:1]:
        try:
            requests.head(url, timeout=PROBE_SECONDS)
        except requests.RequestException:
            raise UserError(
                f"{dataset} is not prepared in {data_dir} and {url} cannot be reached;"
                " give the folder that has it as --data-dir, or other data as --data sample|PATH"
            ) from None


def _split(builder: Any, keys: Keys, instruction: str, files: list[list[str | int]]) -> Split:
    import tensorflow_datasets as tfds

    decoders = tfds.decode.PartialDecoding(
        {keys.image: True, keys.label: True}, decoders={keys.image: tfds.decode.SkipDecoding()}
    )
    try:
        examples = builder.as_dataset(split=instruction, decoders=decoders, shuffle_files=False)
    except (ValueError, AssertionError) as error:
        raise UserError(
            f"{builder.name} has no split {instruction!r}: {_first_line(error)}"
        ) from error
    config = f"/{builder.builder_config.name}" if builder.builder_config else ""
    name = f"{builder.name}{config} {instruction}"
    return Split(
        name=name,
        examples=int(examples.cardinality()),
        fingerprint=fingerprint([name, str(builder.version), files]),
        references=lambda: examples.map(
            lambda example: (example[keys.image], tf.cast(example[keys.label], tf.int32))
        ),
        read=tf.identity,
        shuffle_buffer_size=SHUFFLED_TOGETHER,
        describe=lambda position: example_name(name, position),
    )


def example_name(split: str, position: int) -> str:
    """How a message names an example, which has no file of its own."""
    return f"example {position} of {split}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
