"""The source of a run, by `--data`."""

import dataclasses
import os
import sys

import pytest

from trainer import Config, ImageClassification, MultiLabelClassification, Task, UserError
from trainer.data import SPLITS
from trainer.data.readers import tfds_cache
from trainer.data.readers.tfds import dataset_files as files
from trainer.data.sources import description, open_source
from trainer.setup.plugins import find_task

EXAMPLES = 25


@pytest.fixture
def pictures(tiny_dataset):
    """A task whose dataset the fixture `prepared` has; it has no sample."""

    class Pictures(ImageClassification):
        dataset = tiny_dataset
        splits = {"train": "train[:8]", "validation": "train[8:10]", "test": "train[10:]"}

    return Pictures()


@pytest.fixture
def config(tmp_path_factory, tmp_path):
    """A config with `--data …`, in folders of the test."""

    def make(data="auto", data_dir=tmp_path / "tfds"):
        cache = tmp_path_factory.getbasetemp() / "cache"
        return Config(data=data, data_dir=data_dir, cache_dir=cache, sample_examples=EXAMPLES)

    return make


@pytest.fixture
def flowers(pictures):
    """The same task, with the sample of flowers."""
    type(pictures).sample = "flowers"
    return pictures


@pytest.mark.parametrize("data", ["auto", "tfds"])
def test_what_tfds_has_prepared_is_read(flowers, config, prepared, data):
    assert open_source(flowers, config(data, prepared)).kind == "tfds"


def test_auto_is_the_sample_where_nothing_is_prepared(flowers, config):
    assert open_source(flowers, config("auto")).kind == "sample"


def test_auto_downloads_and_prepares_nothing(flowers, config, tmp_path):
    open_source(flowers, config("auto"))
    assert list(tmp_path.iterdir()) == []


def test_the_error_of_auto_with_neither_says_both_choices(pictures, config):
    with pytest.raises(UserError, match=r"no built-in sample, .*--data tfds .*--data PATH"):
        open_source(pictures, config("auto"))


def test_tfds_prepares_the_dataset(pictures, config, tmp_path):
    assert open_source(pictures, config("tfds", tmp_path / "new")).kind == "tfds"


def test_sample_is_the_sample_even_where_tfds_has_the_data(flowers, config, prepared):
    assert open_source(flowers, config("sample", prepared)).kind == "sample"


def test_a_path_is_a_folder(pictures, config, cats_and_dogs):
    assert open_source(pictures, config(str(cats_and_dogs))).kind == "folder"


def test_a_path_that_does_not_exist_is_an_error(flowers, config):
    with pytest.raises(UserError, match="no such folder"):
        open_source(flowers, config("nowhere"))


def test_the_error_of_a_missing_sample_does_not_mention_prepared_data(pictures, config, prepared):
    with pytest.raises(UserError) as error:
        open_source(pictures, config("sample", prepared))
    assert f"TFDS has no {pictures.dataset} prepared" not in str(error.value)


# The sample.


def test_the_sample_has_its_own_name_and_version(flowers, config):
    source = open_source(flowers, config("sample"))
    assert (source.name, source.version) == ("flowers", "1.0.0")


def test_the_sample_has_the_number_of_images_of_the_config(flowers, config):
    source = open_source(flowers, config("sample"))
    assert sum(source.examples.values()) == EXAMPLES


# The description.


def test_a_sample_is_called_a_sample_with_the_way_to_the_real_data(flowers, config):
    options = config("sample")
    assert description(open_source(flowers, options), flowers, options) == (
        "data: the built-in sample, 25 images of 5 classes"
        " (--data tfds downloads the real tiny_pictures)"
    )


def test_a_tfds_dataset_is_described_by_its_version_and_folder(pictures, config, prepared):
    options = config("tfds", prepared)
    assert description(open_source(pictures, options), pictures, options) == (
        f"data: tiny_pictures 1.0.0 of TFDS in {prepared}, 12 images of 2 classes"
    )


def test_a_folder_is_described_by_its_path(pictures, config, cats_and_dogs):
    options = config(str(cats_and_dogs))
    assert description(open_source(pictures, options), pictures, options) == (
        f"data: the folder {cats_and_dogs}, 20 images of 2 classes,"
        " cut 70/15/15 into train, validation and test"
    )


def test_a_folder_with_splits_is_not_said_to_be_cut(pictures, config, class_folders):
    folder = class_folders({f"{split}/{x}": 2 for split in SPLITS for x in "ab"})
    options = config(str(folder))
    assert description(open_source(pictures, options), pictures, options) == (
        f"data: the folder {folder}, 12 images of 2 classes"
    )


def test_a_split_that_is_cut_from_train_is_mentioned(pictures, config, class_folders):
    folder = class_folders({f"{split}/{x}": 4 for split in ("train", "test") for x in "ab"})
    options = config(str(folder))
    assert description(open_source(pictures, options), pictures, options) == (
        f"data: the folder {folder}, 16 images of 2 classes, validation cut from train (15 %)"
    )


def test_the_files_of_a_folder_that_is_cut_are_read_once(pictures, config, cats_and_dogs):
    options = config(str(cats_and_dogs))
    before = open_source(pictures, options)
    for file in cats_and_dogs.glob("*/*"):
        state = file.stat()
        file.write_bytes(file.read_bytes()[:-1] + b"!")
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = open_source(pictures, options)
    assert [s.fingerprint for s in after.splits.values()] == [
        s.fingerprint for s in before.splits.values()
    ]


# Any folder, and any dataset of TFDS.


@pytest.mark.parametrize("data", ["auto", "tfds", "sample"])
def test_a_task_without_a_dataset_asks_for_a_folder(config, data):
    folder = find_task("folder")
    options = dataclasses.replace(config(data), task="folder")
    with pytest.raises(UserError, match=r"^--task folder has no data .* --data PATH$"):
        open_source(folder, options)


@pytest.mark.parametrize("data", ["auto", "tfds"])
def test_any_dataset_is_read_with_its_own_splits(tiny_dataset, config, prepared, data):
    task, options = find_task(f"tfds:{tiny_dataset}"), config(data, prepared)
    source = open_source(task, options)
    assert source.examples == {"train": 8, "validation": 2, "test": 2}
    assert description(source, task, options) == (
        f"data: tiny_pictures 1.0.0 of TFDS in {prepared}, 12 images of 2 classes,"
        " cut 70/15/15 into train, validation and test"
    )


def test_the_error_of_a_dataset_that_is_not_prepared_says_how_to_get_it(config, tmp_path):
    with pytest.raises(UserError) as error:
        open_source(find_task("tfds:cifar10"), config("auto"))
    assert str(error.value) == (
        f"tfds-cifar10 has no built-in sample, and TFDS has no cifar10 prepared in"
        f" {tmp_path / 'tfds'}; --data tfds downloads cifar10 of TFDS, --data PATH takes a"
        " folder of class folders"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [("cifar_10", r"did you mean cifar10\?"), ("coco", "is not an image classification")],
)
def test_an_unusable_dataset_is_an_error_before_any_download(config, name, reason):
    with pytest.raises(UserError, match=reason):
        open_source(find_task(f"tfds:{name}"), config("auto"))


def test_a_dataset_that_was_opened_once_is_not_opened_again(
    tiny_dataset, config, prepared, monkeypatch
):
    task, options = find_task(f"tfds:{tiny_dataset}"), config("auto", prepared)
    opened = open_source(task, options)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)  # cannot be imported
    cached = open_source(task, options)
    assert (cached.examples, cached.cut) == (opened.examples, opened.cut)


@pytest.mark.parametrize("data", ["auto", "tfds"])
def test_the_files_of_a_dataset_that_was_opened_once_are_listed_once(
    tiny_dataset, config, prepared, monkeypatch, data
):
    task, options = find_task(f"tfds:{tiny_dataset}"), config(data, prepared)
    open_source(task, options)
    walks = []
    monkeypatch.setattr(tfds_cache, "dataset_files", lambda *of: walks.append(of) or files(*of))
    open_source(task, options)
    assert walks == [(tiny_dataset, prepared)]


# Labels of other kinds.


class Tags(MultiLabelClassification):
    dataset = "tagged"
    splits = None


class KindAndSize(Task):
    dataset = "mixed"
    splits = None
    label_kind = {"kind": "class", "size": "numbers"}


@pytest.mark.parametrize("data", ["auto", "tfds"])
@pytest.mark.parametrize(
    ("task", "what"), [(Tags(), "4 labels"), (KindAndSize(), "kind, size")], ids=["tags", "outputs"]
)
def test_a_dataset_of_several_labels_or_outputs_is_read(
    config, label_datasets, tmp_path, task, what, data
):
    options = dataclasses.replace(config(data, label_datasets), cache_dir=tmp_path)
    source = open_source(task, options)
    assert source.label_kind == task.label_kind
    assert f", 12 images of {what}, cut 70/15/15 into" in description(source, task, options)


def test_labels_that_a_dataset_lacks_are_an_error_before_any_download(config, offline):
    class Digits(MultiLabelClassification):
        dataset = "mnist"

    with pytest.raises(UserError) as error:
        open_source(Digits(), config("auto"))
    assert str(error.value) == (
        "mnist of TFDS is not a multi-label image dataset: its examples have no label sequence"
    )


@pytest.mark.parametrize("data", ["auto", "sample"])
def test_a_sample_is_for_one_class_an_image(config, label_datasets, data):
    class WithSample(Tags):
        sample = "flowers"

    options = dataclasses.replace(config(data), task="my:WithSample")
    with pytest.raises(UserError) as error:
        open_source(WithSample(), options)
    assert str(error.value) == (
        "the sample flowers has one class an image, and --task my:WithSample learns labels; choose"
        " --data tfds, or a table with --data labels.csv"
    )


@pytest.mark.parametrize("data", ["auto", "tfds", "sample"])
def test_a_task_of_labels_without_a_dataset_asks_for_a_table(config, data):
    options = dataclasses.replace(config(data), task="multi-label")
    with pytest.raises(UserError) as error:
        open_source(find_task("multi-label"), options)
    assert str(error.value) == (
        f"--data {data} has one class an image, and --task multi-label learns labels; choose a"
        " table with --data labels.csv"
    )


def test_classes_of_a_task_are_refused_for_labels(config, label_datasets, tmp_path):
    class Two(Tags):
        classes = ("red", "wet")

    options = dataclasses.replace(config("auto", label_datasets), cache_dir=tmp_path)
    with pytest.raises(UserError, match=r"^Two.classes is for one class an image; remove it$"):
        open_source(Two(), options)


# Images that cannot be read.


def test_skip_bad_images_checks_a_folder(pictures, config, cats_and_dogs):
    (cats_and_dogs / "cat" / "empty.png").touch()
    options = dataclasses.replace(config(str(cats_and_dogs)), skip_bad_images=True)
    source = open_source(pictures, options)
    assert list(source.skipped) == [str(cats_and_dogs / "cat" / "empty.png")]
    assert sum(source.examples.values()) == 20


def test_skip_bad_images_checks_a_tfds_dataset(pictures, config, prepared, tmp_path, progress):
    options = dataclasses.replace(
        config("tfds", prepared), cache_dir=tmp_path, skip_bad_images=True
    )
    open_source(pictures, options)
    assert progress == [("checking images", n, of) for of in (8, 2, 2) for n in range(1, of + 1)]


def test_without_skip_bad_images_nothing_is_checked(pictures, config, prepared, progress):
    open_source(pictures, config("tfds", prepared))
    assert progress == []


@pytest.mark.parametrize("kind", ["number", {"kind": "class", "size": "number"}])
def test_an_unknown_kind_of_label_is_named(pictures, config, kind):
    pictures.label_kind = kind
    with pytest.raises(UserError, match=r"label_kind has 'number'; it must be class, labels, num"):
        open_source(pictures, config())
