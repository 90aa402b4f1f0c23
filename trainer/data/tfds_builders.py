"""Datasets of TFDS as a source, their images left encoded."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.data.splits import Source, Split, file_state, fingerprint
from trainer.errors import UserError

PROBE_SECONDS = 10
"""How long a download's server may take to answer before we say that there is no network."""

SHUFFLED_TOGETHER = 8_192
"""Encoded images held in memory for shuffling: TFDS has shuffled its files already."""


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


def tfds_source(dataset: str, splits: Mapping[str, str], data_dir: Path) -> Source:
    """The dataset's splits, read from the folder; downloaded and prepared there first if need be.

    Raises:
        UserError: TFDS knows no such dataset or split, it cannot be downloaded, or it is not one
            of images with a class each.
    """
    builder = _builder(dataset, data_dir)
    _require_labelled_images(dataset, builder)
    if not builder.is_prepared():
        _download(dataset, builder, data_dir)
    files = dataset_files(dataset, data_dir)
    return Source(
        kind="tfds",
        name=dataset,
        version=str(builder.version),
        classes=tuple(builder.info.features["label"].names),
        splits={name: _split(builder, instruction, files) for name, instruction in splits.items()},
    )


def _builder(dataset: str, data_dir: Path) -> Any:
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        return tfds.builder(dataset, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        nearest = difflib.get_close_matches(dataset, tfds.list_builders(), n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UserError(f"TFDS knows no dataset {dataset!r}{hint}") from None
    except (OSError, ValueError, AssertionError, ParseError) as error:
        reason = _first_line(error)
        raise UserError(f"TFDS cannot open {dataset} in {data_dir}: {reason}") from error


def _require_labelled_images(dataset: str, builder: Any) -> None:
    import tensorflow_datasets as tfds

    features = dict(builder.info.features or {})
    wanted = {"image": tfds.features.Image, "label": tfds.features.ClassLabel}
    for key, kind in wanted.items():
        if not isinstance(features.get(key), kind):
            raise UserError(
                f"{dataset} of TFDS is no classification of images: its examples have no {key!r}"
            )


def _download(dataset: str, builder: Any, data_dir: Path) -> None:
    _require_network(dataset, builder, data_dir)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever of the network, the disk or the archive TFDS met
        raise UserError(
            f"TFDS could not download {dataset} into {data_dir}: {_first_line(error)};"
            " try again, or use --data sample"
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
                " give the folder that has it as --data-dir, or use --data sample"
            ) from None


def _split(builder: Any, instruction: str, files: list[list[str | int]]) -> Split:
    import tensorflow_datasets as tfds

    decoders = {"image": tfds.decode.SkipDecoding()}
    try:
        examples = builder.as_dataset(split=instruction, decoders=decoders, shuffle_files=False)
    except (ValueError, AssertionError) as error:
        raise UserError(
            f"{builder.name} has no split {instruction!r}: {_first_line(error)}"
        ) from error
    name = f"{builder.name} {instruction}"
    return Split(
        name=name,
        examples=int(examples.cardinality()),
        fingerprint=fingerprint([name, str(builder.version), files]),
        references=lambda: examples.map(lambda example: (example["image"], _label(example))),
        read=tf.identity,
        shuffled_together=SHUFFLED_TOGETHER,
        describe=lambda position: f"example {position} of {name}",
    )


def _label(example: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return tf.cast(example["label"], tf.int32)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
