"""Datasets of TFDS, read as they are prepared, and downloaded by nobody who does not ask."""

import shutil
import socket
import threading
import time
from collections import Counter

import pytest
import tensorflow_datasets as tfds

from trainer import UserError
from trainer.data import tfds_builders
from trainer.data.images import image_batches, naming_unreadable_images
from trainer.data.tfds_builders import default_data_dir, is_prepared, tfds_source

SPLITS = {"train": "train[:50%]", "validation": "train[50%:75%]", "test": "train[75%:]"}
A_DOWNLOAD = "tf_flowers"
"""A dataset that TFDS would download."""


@pytest.fixture
def source(tiny_dataset, prepared):
    return tfds_source(tiny_dataset, SPLITS, prepared)


@pytest.fixture
def server():
    """A server that never answers; gives its port and the list of who called it."""
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


def test_splits_are_cut_as_the_task_says(source):
    assert source.examples == {"train": 6, "validation": 3, "test": 3}


def test_a_source_tells_what_it_is(source, tiny_dataset):
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


def test_an_example_is_told_by_its_place(source, tiny_dataset):
    assert source.splits["test"].describe(2) == f"example 2 of {tiny_dataset} train[75%:]"


def test_a_prepared_dataset_is_found(tiny_dataset, prepared):
    assert is_prepared(tiny_dataset, prepared)


# A dataset that is not.


def test_a_dataset_is_not_found_where_it_is_not(tiny_dataset, tmp_path):
    assert not is_prepared(tiny_dataset, tmp_path)


def test_a_dataset_half_prepared_is_not_found(tiny_dataset, tmp_path):
    (tmp_path / tiny_dataset / "1.0.0").mkdir(parents=True)
    assert not is_prepared(tiny_dataset, tmp_path)


def test_a_dataset_is_prepared_when_it_is_asked_for(tiny_dataset, tmp_path):
    tfds_source(tiny_dataset, SPLITS, tmp_path)
    assert is_prepared(tiny_dataset, tmp_path)


def test_a_download_without_network_is_refused_with_what_to_do(tmp_path, offline):
    with pytest.raises(UserError) as error:
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert str(error.value).startswith(f"{A_DOWNLOAD} is not prepared in {tmp_path} and http")
    assert "--data-dir, or use --data sample" in str(error.value)


def test_a_download_without_network_writes_nothing(tmp_path, offline):
    with pytest.raises(UserError):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path / "tfds")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def silence(server, through_proxy, monkeypatch):
    """All servers are silent, and we wait for a tenth of a second; gives who called them."""
    port, callers = server
    through_proxy(port)
    monkeypatch.setattr(tfds_builders, "PROBE_SECONDS", 0.1)
    return callers


def test_a_server_that_never_answers_is_given_up(tmp_path, silence):
    began = time.perf_counter()
    with pytest.raises(UserError, match="cannot be reached"):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert time.perf_counter() - began < 5


def test_a_server_that_never_answers_is_asked_once(tmp_path, silence):
    with pytest.raises(UserError):
        tfds_source(A_DOWNLOAD, SPLITS, tmp_path)
    assert len(silence) == 1


# Mistakes.


def test_a_name_that_is_nearly_right_is_told_the_right_one(tmp_path):
    with pytest.raises(UserError, match=r"^TFDS knows no dataset 'tf_flower'; did you mean tf_fl"):
        tfds_source("tf_flower", SPLITS, tmp_path)


def test_a_name_like_no_other_is_told_to_be_unknown(tmp_path):
    with pytest.raises(UserError, match=r"^TFDS knows no dataset 'qqqqqqqqqqqq'$"):
        tfds_source("qqqqqqqqqqqq", SPLITS, tmp_path)


@pytest.mark.parametrize("name", ["", "two words", "a/b/c/d"])
def test_what_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="TFDS"):
        tfds_source(name, SPLITS, tmp_path)


def test_a_version_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"0\.0\.1"):
        tfds_source(f"{A_DOWNLOAD}:0.0.1", SPLITS, tmp_path)


def test_a_version_that_is_prepared_is_found(tiny_dataset, prepared):
    assert is_prepared(f"{tiny_dataset}:1.0.0", prepared)


@pytest.mark.parametrize("wrong", ["valid", "train[:1", "train[:0]", ""])
def test_a_split_that_does_not_exist_or_has_no_example_is_named(tiny_dataset, prepared, wrong):
    with pytest.raises(UserError) as error:
        tfds_source(tiny_dataset, {**SPLITS, "validation": wrong}, prepared)
    assert str(error.value).startswith(f"{tiny_dataset} has no split {wrong!r}: ")


def test_an_unknown_split_is_told_those_there_are(tiny_dataset, prepared):
    with pytest.raises(UserError, match=r"\['train'\]"):
        tfds_source(tiny_dataset, {"train": "training"}, prepared)


@pytest.mark.parametrize(("dataset", "lacking"), [("imdb_reviews", "image"), ("kitti", "label")])
def test_a_dataset_without_images_or_without_labels_is_refused(tmp_path, dataset, lacking):
    with pytest.raises(UserError, match=f"^{dataset} of TFDS .* have no '{lacking}'$"):
        tfds_source(dataset, SPLITS, tmp_path)


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
    with pytest.raises(UserError, match=tiny_dataset), naming_unreadable_images(splits):
        list(image_batches(source.splits["train"], 8, 4))


def test_an_info_that_cannot_be_read_is_named(tiny_dataset, damaged):
    with pytest.raises(UserError, match=f"^TFDS cannot open {tiny_dataset}"):
        tfds_source(tiny_dataset, SPLITS, damaged("dataset_info.json"))


# Where TFDS keeps its datasets.


def test_the_data_dir_is_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path


def test_the_data_dir_is_tfdss_own_without_one(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    assert str(default_data_dir()) == tfds.builder(A_DOWNLOAD).data_dir.partition("/tf_flow")[0]
