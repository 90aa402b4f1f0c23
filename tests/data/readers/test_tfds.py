"""Datasets of TFDS: read where they are prepared, downloaded only on request."""

import re
import shutil
import socket
import threading
import time
from collections import Counter

import numpy as np
import pytest
import tensorflow_datasets as tfds

from trainer import Config, UserError
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers import tfds as tfds_reader
from trainer.data.readers.tfds import (
    is_prepared,
    require_labelled_images,
    tfds_source,
)

SPLITS = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}
A_DOWNLOAD = "tf_flowers"
"""A dataset that TFDS would download."""

PICTURE = tfds.features.Image(shape=(None, None, 3))
LABEL = tfds.features.ClassLabel(num_classes=3)
FEATURES = {"image": PICTURE, "label": LABEL}


@pytest.fixture
def source(tiny_dataset, prepared):
    return tfds_source(tiny_dataset, SPLITS, prepared)


@pytest.fixture
def stored(tmp_path):
    """Prepares a dataset in tmp_path with these features and numbers of examples per split."""

    def store(name, features, splits, config=None, unlabelled=()):
        def example(split, number):
            values = {
                tfds.features.Image: np.full([4, 4, 3], 10 * number, np.uint8),
                tfds.features.LabeledImage: np.zeros([4, 4, 1], np.uint8),
                tfds.features.ClassLabel: -1 if split in unlabelled else number % 3,
                tfds.features.Text: "a note",
            }
            return {key: values[type(feature)] for key, feature in features.items()}

        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={
                split: [(n, example(split, n)) for n in range(count)]
                for split, count in splits.items()
            },
            config=config,
            data_dir=tmp_path,
        )

    return store


@pytest.fixture
def server():
    """A server that never answers: its port, and the list of connections to it."""
    callers = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen():
            try:
                while True:
                    callers.append(listening.accept()[0])
            except OSError:  # it is closed
                pass

        threading.Thread(target=listen, daemon=True).start()
        yield listening.getsockname()[1], callers
        listening.shutdown(socket.SHUT_RDWR)
    for caller in callers:
        caller.close()


def examples(source):
    return [
        (reference, label)
        for split in source.splits.values()
        for reference, label in split.references().as_numpy_iterator()
    ]


# A dataset that is prepared.


def test_splits_are_those_of_the_split_expressions(source):
    assert source.examples == {"train": 6, "validation": 3, "test": 3}


def test_a_source_has_its_kind_name_and_version(source, tiny_dataset):
    assert (source.kind, source.name, source.version) == ("tfds", tiny_dataset, "1.0.0")


def test_classes_are_those_of_the_dataset(source):
    assert source.classes == ("cat", "dog")


def test_every_example_is_in_one_split(source):
    assert len({image for image, _ in examples(source)}) == 12


def test_labels_are_those_of_the_dataset(source):
    assert Counter(int(label) for _, label in examples(source)) == {0: 6, 1: 6}


def test_images_stay_encoded(source):
    assert all(image.startswith(b"\x89PNG") for image, _ in examples(source))


def test_the_order_is_the_same_each_time(source, tiny_dataset, prepared):
    opened = [examples(tfds_source(tiny_dataset, SPLITS, prepared)) for _ in range(5)]
    assert opened == [examples(source)] * 5


def test_an_example_is_described_by_its_position(source, tiny_dataset):
    assert source.splits["test"].describe(2) == f"example 2 of {tiny_dataset} train[75%:]"


def test_a_prepared_dataset_is_found(tiny_dataset, prepared):
    assert is_prepared(tiny_dataset, prepared)


# A dataset that is not.


def test_a_dataset_is_not_found_in_an_empty_folder(tiny_dataset, tmp_path):
    assert not is_prepared(tiny_dataset, tmp_path)


def test_a_half_prepared_dataset_is_not_found(tiny_dataset, tmp_path):
    (tmp_path / tiny_dataset / "1.0.0").mkdir(parents=True)
    assert not is_prepared(tiny_dataset, tmp_path)


def test_a_dataset_is_prepared_on_request(tiny_dataset, tmp_path):
    tfds_source(tiny_dataset, SPLITS, tmp_path)
    assert is_prepared(tiny_dataset, tmp_path)


def test_the_error_without_network_says_what_to_do(tmp_path, offline):
    with pytest.raises(UserError) as error:
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert str(error.value).startswith(f"{A_DOWNLOAD} is not prepared in {tmp_path} and http")
    assert "--data-dir, or other data with --data sample|PATH" in str(error.value)


def test_a_download_without_network_writes_nothing(tmp_path, offline):
    with pytest.raises(UserError):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path / "tfds")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def silence(server, through_proxy, monkeypatch):
    """No server answers, and the timeout is a tenth of a second; returns the connections."""
    port, callers = server
    through_proxy(port)
    monkeypatch.setattr(tfds_reader, "PROBE_SECONDS", 0.1)
    return callers


def test_a_server_that_never_answers_is_an_error_after_a_timeout(tmp_path, silence):
    began = time.perf_counter()
    with pytest.raises(UserError, match="cannot be reached"):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert time.perf_counter() - began < 5


def test_a_server_that_never_answers_is_contacted_once(tmp_path, silence):
    with pytest.raises(UserError):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert len(silence) == 1


# Mistakes.


def test_the_error_of_a_mistyped_name_suggests_the_right_one(tmp_path):
    with pytest.raises(UserError, match=r"^TFDS has no dataset 'tf_flower'; did you mean tf_fl"):
        tfds_source("tf_flower", SPLITS, tmp_path)


def test_a_name_like_no_other_has_no_suggestion(tmp_path):
    with pytest.raises(UserError, match=r"^TFDS has no dataset 'qqqqqqqqqqqq'; choose one of ht"):
        tfds_source("qqqqqqqqqqqq", SPLITS, tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tf_flowers/roses", r"BuilderConfig roses not found with version [\d.]+\d"),
        ("tf_flowers:9.9.9", r"Dataset tf_flowers cannot be loaded at version 9.9.9, only: [\d.]+"),
    ],
)
def test_the_error_of_an_unknown_config_or_version_is_short(tmp_path, name, reason):
    with pytest.raises(UserError, match=f"^TFDS cannot open {name} in {tmp_path}: {reason}$"):
        tfds_source(name, SPLITS, tmp_path)


@pytest.mark.parametrize("name", ["", "two words", "a/b/c/d"])
def test_an_invalid_name_is_an_error(tmp_path, name):
    with pytest.raises(UserError, match="TFDS"):
        tfds_source(name, SPLITS, tmp_path)


def test_a_version_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"0\.0\.1"):
        tfds_source(f"{A_DOWNLOAD}:0.0.1", SPLITS, tmp_path)


def test_a_version_that_is_prepared_is_found(tiny_dataset, prepared):
    assert is_prepared(f"{tiny_dataset}:1.0.0", prepared)


@pytest.mark.parametrize("wrong", ["valid", "train[:1", "train[:0]", ""])
def test_a_split_that_does_not_exist_or_has_no_example_is_named(tiny_dataset, prepared, wrong):
    with pytest.raises(UserError) as error:
        tfds_source(tiny_dataset, {**SPLITS, "validation": wrong}, prepared)
    assert str(error.value).startswith(f"{tiny_dataset} has no split {wrong!r}: ")


def test_the_error_of_an_unknown_split_lists_those_of_the_dataset(tiny_dataset, prepared):
    with pytest.raises(UserError, match=r"\['train'\]"):
        tfds_source(tiny_dataset, {"train": "training"}, prepared)


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ("imdb_reviews", "have no image"),
        ("kitti", "have no class label"),
        ("omniglot_like", "have 2 images (left, right)"),
    ],
)
def test_a_dataset_without_one_image_and_label_is_an_error(stored, tmp_path, dataset, reason):
    stored("omniglot_like", {"left": PICTURE, "right": PICTURE, "label": LABEL}, {"train": 4})
    with pytest.raises(UserError, match=rf"^{dataset} of TFDS .* {re.escape(reason)}$"):
        tfds_source(dataset, SPLITS, tmp_path)


@pytest.mark.parametrize("name", ["TfFlowers", "Tf_Flowers"])
def test_a_name_in_camel_case_is_an_error(tmp_path, name):
    with pytest.raises(UserError, match=f"^TFDS has no dataset '{name}'"):
        tfds_source(name, SPLITS, tmp_path)


def test_a_config_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no_such_config"):
        tfds_source("mnist_corrupted/no_such_config", SPLITS, tmp_path)


@pytest.mark.parametrize("dataset", ["coco", "no_such_dataset"])
def test_an_unusable_dataset_is_an_error_without_a_download(tmp_path, offline, dataset):
    with pytest.raises(UserError, match=dataset):
        require_labelled_images(dataset, tmp_path)


def test_a_usable_dataset_is_no_error_and_not_downloaded(tmp_path, offline):
    require_labelled_images(A_DOWNLOAD, tmp_path)
    assert list(tmp_path.iterdir()) == []


# Names of features and splits.


def test_the_image_and_the_label_may_have_any_name(stored, tmp_path):
    stored("renamed", {"photo": PICTURE, "kind": LABEL, "note": tfds.features.Text()}, {"train": 9})
    source = tfds_source("renamed", SPLITS, tmp_path)
    assert Counter(int(label) for _, label in examples(source)) == {0: 3, 1: 3, 2: 3}


def test_a_segmentation_mask_is_no_image(stored, tmp_path):
    mask = tfds.features.LabeledImage(labels=2, shape=(None, None, 1))
    stored("masked", {"photo": PICTURE, "mask": mask, "label": LABEL}, {"train": 9})
    source = tfds_source("masked", SPLITS, tmp_path)
    assert all(image.startswith(b"\x89PNG") for image, _ in examples(source))


def test_of_several_labels_the_supervised_one_is_learned(tmp_path, offline):
    """cifar100 has a label and a coarse_label."""
    require_labelled_images("cifar100", tmp_path)


def test_without_split_expressions_the_datasets_own_splits_are_taken(stored, tmp_path):
    stored("split", FEATURES, {"train": 20, "val": 4, "test_clean": 5})
    source = tfds_source("split", None, tmp_path)
    assert (source.examples, source.cut) == ({"train": 20, "validation": 4, "test": 5}, ())


def test_missing_splits_are_cut_from_train(tiny_dataset, prepared):
    source = tfds_source(tiny_dataset, None, prepared)
    assert source.examples == {"train": 8, "validation": 2, "test": 2}
    assert source.cut == ("validation", "test")


def test_a_split_without_labels_is_not_used(stored, tmp_path):
    stored("contest", FEATURES, {"train": 20, "test": 5}, unlabelled=["test"])
    source = tfds_source("contest", None, tmp_path)
    assert source.cut == ("validation", "test")
    assert sum(source.examples.values()) == 20


def test_a_dataset_without_labels_is_an_error(stored, tmp_path):
    stored("secret", FEATURES, {"train": 5}, unlabelled=["train"])
    with pytest.raises(UserError, match=r"^secret of TFDS has no labels; choose another dataset$"):
        tfds_source("secret", None, tmp_path)


def test_configs_of_one_dataset_have_different_fingerprints(stored, tmp_path):
    for config in ("one", "two"):
        stored("configured", FEATURES, {"train": 9}, config=config)
    sources = [tfds_source(f"configured/{config}", None, tmp_path) for config in ("one", "two")]
    assert len({split.fingerprint for s in sources for split in s.splits.values()}) == 6


# A dataset that was damaged after it was prepared.


@pytest.fixture
def damaged(tiny_dataset, prepared, tmp_path):
    """A copy of the prepared dataset in which a file is cut to its first bytes."""

    def cut(pattern):
        folder = shutil.copytree(prepared, tmp_path / "damaged")
        path = min((folder / tiny_dataset).rglob(pattern))
        path.write_bytes(path.read_bytes()[:100])
        return folder

    return cut


def test_records_that_cannot_be_read_are_named(tiny_dataset, damaged):
    source = tfds_source(tiny_dataset, SPLITS, damaged("*.tfrecord*"))
    splits = source.splits.values()
    with pytest.raises(UserError, match=tiny_dataset), report_unreadable_images(splits):
        list(image_batches(source.splits["train"], 8, 4))


def test_an_info_that_cannot_be_read_is_named(tiny_dataset, damaged):
    with pytest.raises(UserError, match=f"^TFDS cannot open {tiny_dataset}"):
        tfds_source(tiny_dataset, SPLITS, damaged("dataset_info.json"))


# Where TFDS keeps its datasets.


def test_the_data_dir_is_that_of_the_environment_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert Config().tfds_folder == tmp_path


def test_without_the_variable_the_data_dir_is_that_of_tfds(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    assert str(Config().tfds_folder) == tfds.builder(A_DOWNLOAD).data_dir.partition("/tf_flow")[0]
