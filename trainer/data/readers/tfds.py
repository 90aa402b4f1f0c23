"""A dataset of TFDS as a source; its images stay encoded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import file_state, fingerprint
from trainer.core.text import first_line, nearest_name
from trainer.data.readers.partition import HELD_OUT_PERCENT, split_percents
from trainer.data.readers.tfds_features import (
    DatasetFeatures,
    dataset_features,
    label_kind_key,
    label_specs,
)
from trainer.data.splits import Source, Split
from trainer.task import LabelKinds

PROBE_SECONDS = 10
"""How long a download's server may take to answer before it counts as unreachable."""

CATALOG = "https://www.tensorflow.org/datasets/catalog/overview"
"""Where TFDS describes its datasets."""

SHUFFLE_BUFFER_SIZE = 8_192
"""How many encoded images are shuffled at once; TFDS has already shuffled its files."""

SPLIT_PREFIXES = {"train": "train", "validation": "val", "test": "test"}
"""How the names of a dataset's splits begin if they differ from ours: trainA, val, test_clean."""


def is_prepared(dataset: str, data_dir: Path) -> bool:
    """Whether the folder has the dataset, ready to be read by TFDS."""
    return prepared_folder(dataset, data_dir) is not None


def prepared_folder(dataset: str, data_dir: Path) -> Path | None:
    """The folder of the dataset's files, where it is ready to be read by TFDS; else None."""
    # TFDS takes seconds to import, and is not needed where there is no folder.
    if not (data_dir / _bare_name(dataset)).is_dir():
        return None
    builder = _builder(dataset, data_dir)
    return Path(builder.data_dir) if builder.is_prepared() else None


def _bare_name(dataset: str) -> str:
    """The name of a dataset without config and version: "name" of "name/config:1.0.0"."""
    return dataset.partition("/")[0].partition(":")[0]


def dataset_files(dataset: str, data_dir: Path) -> list[list[str | int]]:
    """Name, size and time of each of a dataset's files; the folder is walked for it."""
    folder = data_dir / _bare_name(dataset)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [file_state(path, data_dir) for path in paths]


def tfds_source(
    dataset: str,
    splits: Mapping[str, str] | None,
    data_dir: Path,
    kinds: LabelKinds = "class",
) -> Source:
    """The dataset's splits; it is downloaded and prepared in the folder first if necessary.

    Args:
        dataset: A name as TFDS takes it: "name", "name/config", "name:1.0.0".
        splits: A TFDS split expression for each of our splits. Without them the dataset's own
            splits are taken, and those that it lacks are cut from them.
        data_dir: The folder.
        kinds: What the task takes as the label of an image; of several outputs by output, each the
            key of a feature.

    Raises:
        UserError: TFDS has no such dataset or split, it cannot be downloaded, or its examples have
            not one image and such labels.
    """
    builder = _builder(dataset, data_dir)
    features = dataset_features(dataset, builder.info, kinds)
    if not builder.is_prepared():
        _download(dataset, builder, data_dir)
    cut: tuple[str, ...] = ()
    if splits is None:
        splits, cut = split_expressions(_labelled_sizes(dataset, builder, features))
    key = [dataset_files(dataset, data_dir), *label_kind_key(kinds)]
    spec = label_specs(kinds, features.names)
    return Source(
        kind="tfds",
        name=dataset,
        version=str(builder.version),
        classes=features.names,
        splits={name: _split(builder, features, splits[name], key, spec) for name in splits},
        cut=cut,
        label_kind=kinds,
    )


def require_labelled_images(dataset: str, data_dir: Path, kinds: LabelKinds = "class") -> None:
    """Check without a download that a dataset exists and has images with such labels.

    Raises:
        UserError: it has not.
    """
    dataset_features(dataset, _builder(dataset, data_dir).info, kinds)


def _builder(dataset: str, data_dir: Path) -> Any:
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        builder = tfds.builder(dataset, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError:
        raise _no_such_dataset(dataset) from None
    except (OSError, ValueError, AssertionError, ParseError) as error:
        reason = _without_arguments(first_line(error))
        raise UserError(
            f"TFDS cannot open {dataset} in {data_dir}: {reason}; choose another --data-dir, or"
            " remove what is damaged there"
        ) from error
    if builder.name != _bare_name(dataset):  # TFDS takes TfFlowers too, and stores tf_flowers
        raise _no_such_dataset(dataset)
    return builder


def _without_arguments(reason: str) -> str:
    """A message of TFDS without its function's arguments at the front and the list of others."""
    return reason.rpartition('}": ')[2].partition(". Here are ")[0].rstrip(".")


def _no_such_dataset(dataset: str) -> UserError:
    import tensorflow_datasets as tfds

    names = tfds.list_builders(with_community_datasets=False)  # those that need no network
    nearest = nearest_name(_bare_name(dataset), names)
    hint = f"did you mean {nearest}?" if nearest else f"choose one of {CATALOG}"
    return UserError(f"TFDS has no dataset {dataset!r}; {hint}")


def _labelled_sizes(dataset: str, builder: Any, features: DatasetFeatures) -> dict[str, int]:
    """The number of examples of each split that has labels."""
    sizes = {
        name: split.num_examples
        for name, split in builder.info.splits.items()
        if split.num_examples and _has_labels(builder, features, name)
    }
    if not sizes:
        raise UserError(f"{dataset} of TFDS has no labels; choose another dataset")
    return sizes


def _has_labels(builder: Any, features: DatasetFeatures, split: str) -> bool:
    # In the test split of a competition the classes of TFDS are -1.
    import tensorflow_datasets as tfds

    keys = [label.key for label in features.label_features if label.kind == "class"]
    if not keys:
        return True
    classes_alone = tfds.decode.PartialDecoding(dict.fromkeys(keys, True))
    [example] = builder.as_dataset(split=f"{split}[:1]", decoders=classes_alone)
    return all(int(example[key]) >= 0 for key in keys)


def _download(dataset: str, builder: Any, data_dir: Path) -> None:
    _require_network(dataset, builder, data_dir)
    try:
        builder.download_and_prepare()
    except Exception as error:  # of the network, the disk or the archive
        raise UserError(
            f"TFDS could not download {dataset} into {data_dir}: {first_line(error)};"
            " try again, or choose other data with --data sample|PATH"
        ) from error


def _require_network(dataset: str, builder: Any, data_dir: Path) -> None:
    """Contact the first server of the download once: TFDS itself retries for three minutes."""
    import requests

    for url in list(builder.url_infos or {})[:1]:
        try:
            requests.head(url, timeout=PROBE_SECONDS)
        except requests.RequestException:
            raise UserError(
                f"{dataset} is not prepared in {data_dir} and {url} cannot be reached;"
                " choose the folder that has it with --data-dir, or other data with --data"
                " sample|PATH"
            ) from None


def _split(
    builder: Any,
    features: DatasetFeatures,
    instruction: str,
    key: Sequence[object],
    label_spec: Any,
) -> Split:
    import tensorflow_datasets as tfds

    decoders = tfds.decode.PartialDecoding(
        dict.fromkeys(features.keys, True), decoders={features.image: tfds.decode.SkipDecoding()}
    )
    try:
        examples = builder.as_dataset(split=instruction, decoders=decoders, shuffle_files=False)
    except (ValueError, AssertionError) as error:
        raise UserError(
            f"{builder.name} has no split {instruction!r}: {first_line(error)};"
            f" choose from {', '.join(builder.info.splits)}"
        ) from error
    config = f"/{builder.builder_config.name}" if builder.builder_config else ""
    name = f"{builder.name}{config} {instruction}"
    return Split(
        name=name,
        examples=int(examples.cardinality()),
        fingerprint=fingerprint([name, str(builder.version), *key]),
        references=lambda: examples.map(
            lambda example: (example[features.image], features.label(example))
        ),
        label_spec=label_spec,
        read=tf.identity,
        shuffle_buffer_size=SHUFFLE_BUFFER_SIZE,
        describe=lambda position: example_name(name, position),
    )


def example_name(split: str, position: int) -> str:
    """What messages call an example, which has no file of its own."""
    return f"example {position} of {split}"


def split_expressions(sizes: Mapping[str, int]) -> tuple[dict[str, str], tuple[str, ...]]:
    """TFDS split expressions for train, validation and test; and which of them are cut.

    The dataset's own splits are taken as they are. Those that it lacks are cut from its train, or
    without a train from its largest split.

    Args:
        sizes: The number of examples of each split of the dataset; at least one split.
    """
    own = {split: names for split in SPLIT_PREFIXES if (names := _own_splits(split, sizes))}
    train = own.get("train") or _largest(own, sizes)
    held_out = {split: own[split] for split in HELD_OUT_PERCENT if own.get(split, train) != train}
    missing = tuple(split for split in HELD_OUT_PERCENT if split not in held_out)
    return {
        **_cut(train, split_percents(missing)),
        **{split: "+".join(names) for split, names in held_out.items()},
    }, missing


def _own_splits(split: str, names: Mapping[str, int]) -> list[str]:
    """The dataset's split of that name, or all that have its prefix."""
    if split in names:
        return [split]
    return sorted(name for name in names if name.startswith(SPLIT_PREFIXES[split]))


def _largest(own: Mapping[str, Sequence[str]], sizes: Mapping[str, int]) -> Sequence[str]:
    known = set(itertools.chain(*own.values()))
    choices = [*own.values(), *([name] for name in sizes if name not in known)]
    return max(choices, key=lambda names: sum(sizes[name] for name in names))


def _cut(names: Sequence[str], percents: Mapping[str, int]) -> dict[str, str]:
    borders = [0, *itertools.accumulate(percents.values())]
    slices = [f"[{first}%:{last}%]" for first, last in itertools.pairwise(borders)]
    if len(slices) == 1:
        slices = [""]
    return {
        split: "+".join(name + range_ for name in names)
        for split, range_ in zip(percents, slices, strict=True)
    }
