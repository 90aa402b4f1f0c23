"""Which features of a TFDS dataset are the image and the labels, and what labels become."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_datasets import features

from tests.label_datasets import store_pictures
from trainer import UserError
from trainer.core.hashing import fingerprint
from trainer.data.readers.tfds import dataset_files, require_labelled_images, tfds_source
from trainer.data.readers.tfds_features import dataset_features

KINDS = {"kind": "class", "tags": "labels", "size": "numbers", "pose": "numbers"}
CASES = [
    ("tagged", "labels"),
    ("sized", "numbers"),
    ("posed", "numbers"),
    ("mixed", "class"),
    ("mixed", "labels"),
    ("mixed", KINDS),
]

IMAGE = features.Image(shape=(4, 4, 3))
TAGS = features.Sequence(features.ClassLabel(names=["red", "wild"]))
NUMBER = features.Scalar(np.float32)


class Info(NamedTuple):
    """What is looked at in a DatasetInfo of TFDS."""

    features: dict[str, Any]
    supervised_keys: tuple[str, str] | None = None


@pytest.fixture
def open_dataset(label_datasets):
    return lambda name, kinds: tfds_source(name, None, label_datasets, kinds)


def labels(source, output=None):
    """The label of every picture, of all splits, in the order of the pictures' numbers."""
    found = {
        int(tf.io.decode_png(image)[0, 0, 0]) // 10: label if output is None else label[output]
        for split in source.splits.values()
        for image, label in split.references().as_numpy_iterator()
    }
    return np.stack([found[number] for number in range(12)])


# Labels.


def test_a_class_is_an_integer(open_dataset):
    source = open_dataset("mixed", "class")
    assert source.classes == ("rose", "tulip", "daisy")
    assert labels(source).dtype == np.int32
    assert labels(source).tolist() == [0, 1, 2] * 4


def test_any_number_of_labels_is_1_at_each_of_them_and_0_elsewhere(open_dataset):
    source = open_dataset("tagged", "labels")
    assert source.classes == ("red", "wild", "wet", "old")
    assert labels(source).dtype == np.float32
    assert labels(source).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]] * 3


def test_a_scalar_is_one_number(open_dataset):
    source = open_dataset("sized", "numbers")
    assert source.classes == ("size",)
    assert labels(source).dtype == np.float32
    assert labels(source).tolist() == [[number - 5] for number in range(12)]


def test_a_vector_is_a_number_for_each_of_its_positions(open_dataset):
    source = open_dataset("posed", "numbers")
    assert source.classes == ("pose/0", "pose/1", "pose/2")
    assert labels(source).tolist() == [[n, n / 2, -n] for n in range(12)]


def test_each_of_several_outputs_is_the_feature_of_its_name(open_dataset):
    source = open_dataset("mixed", KINDS)
    assert source.classes == {
        "kind": ("rose", "tulip", "daisy"),
        "tags": ("red", "wild", "wet", "old"),
        "size": ("size",),
        "pose": ("pose/0", "pose/1", "pose/2"),
    }
    assert labels(source, "kind").tolist() == [0, 1, 2] * 4
    assert labels(source, "tags").tolist() == labels(open_dataset("tagged", "labels")).tolist()
    assert labels(source, "size").tolist() == labels(open_dataset("sized", "numbers")).tolist()
    assert labels(source, "pose").tolist() == labels(open_dataset("posed", "numbers")).tolist()


def test_labels_of_several_outputs_are_an_array_with_a_field_for_each(open_dataset):
    found = open_dataset("mixed", KINDS).splits["train"].labels()
    assert found.dtype.names == tuple(KINDS)
    assert found["pose"].shape == (8, 3)


@pytest.mark.parametrize(("name", "kinds"), CASES)
def test_the_label_spec_is_that_of_the_labels(open_dataset, name, kinds):
    source = open_dataset(name, kinds)
    assert source.label_kind == kinds
    for split in source.splits.values():
        assert split.references().element_spec[1] == split.label_spec


def test_a_dataset_has_another_fingerprint_for_each_kind_of_labels(open_dataset):
    every = [kinds for name, kinds in CASES if name == "mixed"]
    every += [{"size": "numbers"}, {"pose": "numbers"}]
    sources = [open_dataset("mixed", kinds) for kinds in every]
    assert len({source.splits["train"].fingerprint for source in sources}) == len(every)


def test_the_fingerprint_for_classes_has_nothing_of_the_kind(open_dataset, label_datasets):
    """Features that were cached before there were other kinds are found."""
    split = open_dataset("mixed", "class").splits["test"]
    files = dataset_files("mixed", label_datasets)
    assert split.fingerprint == fingerprint(["mixed train[85%:100%]", "1.0.0", files])


def test_a_split_whose_classes_of_an_output_are_unknown_is_not_used(tmp_path):
    splits = {"train": 20, "test": 5}
    store_pictures(tmp_path, "contest", ["image", "kind", "size"], splits, test={"kind": -1})
    source = tfds_source("contest", None, tmp_path, {"kind": "class", "size": "numbers"})
    assert source.cut == ("validation", "test")


def test_every_split_counts_as_labelled_where_there_is_no_class(tmp_path):
    splits = {"train": 20, "test": 5}
    store_pictures(tmp_path, "numbered", ["image", "size"], splits, test={"size": -1})
    assert tfds_source("numbered", None, tmp_path, "numbers").cut == ("validation",)


# The choice of a feature.


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_of_several_features_that_suit_the_supervised_one_is_learned(kind):
    feature = {"labels": TAGS, "numbers": NUMBER}[kind]
    info = Info({"image": IMAGE, "one": feature, "two": feature}, ("image", "two"))
    assert dataset_features("birds", info, kind).keys == ["image", "two"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("labels", "not a multi-label image dataset: its examples have 2 label sequences (a, b)"),
        ("numbers", "not an image regression dataset: its examples have 2 numeric features (c, d)"),
    ],
)
def test_several_features_that_suit_are_named_in_one_line(kind, message):
    info = Info({"image": IMAGE, "a": TAGS, "b": TAGS, "c": NUMBER, "d": NUMBER})
    with pytest.raises(UserError) as error:
        dataset_features("birds", info, kind)
    assert str(error.value) == (
        f'birds of TFDS is {message}; choose one by its name, label_kind = {{"…": "{kind}"}}'
    )


@pytest.mark.parametrize(
    ("kind", "feature"),
    [
        ("labels", features.ClassLabel(num_classes=2)),
        ("labels", features.Sequence(np.int64)),
        ("labels", features.Sequence(features.ClassLabel())),
        ("labels", features.Sequence({"tag": features.ClassLabel(num_classes=2)})),
        ("labels", features.Dataset(features.ClassLabel(num_classes=2))),
        ("numbers", features.ClassLabel(num_classes=2)),
        ("numbers", features.Scalar(np.bool_)),
        ("numbers", features.Text()),
        ("numbers", features.Tensor(shape=(2, 2), dtype=np.float32)),
        ("numbers", features.Tensor(shape=(None,), dtype=np.float32)),
        ("numbers", features.Tensor(shape=(3,), dtype=np.int64)),
        ("numbers", features.Sequence(np.float32)),
    ],
)
def test_a_feature_of_another_kind_is_not_learned(kind, feature):
    noun = {"labels": "label sequence", "numbers": "numeric feature"}[kind]
    with pytest.raises(UserError, match=rf"^birds of TFDS is not an? .*: .* have no {noun}$"):
        dataset_features("birds", Info({"image": IMAGE, "label": feature}), kind)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32, np.uint8])
def test_a_number_may_have_any_width(kind):
    info = Info({"image": IMAGE, "size": features.Scalar(kind)})
    assert dataset_features("birds", info, "numbers").names == ("size",)


# Several outputs that the dataset has not.


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (
            {"kind": "class", "weight": "numbers"},
            "mixed of TFDS has no feature 'weight', which label_kind names; choose from image,"
            " kind, note, pose, size, tags",
        ),
        (
            {"size": "class"},
            "mixed of TFDS: the feature 'size' is Scalar(shape=(), dtype=int64), and label_kind has"
            " 'class' for it, which must be a ClassLabel; change label_kind",
        ),
        (
            {"kind": "labels"},
            "mixed of TFDS: the feature 'kind' is ClassLabel(shape=(), dtype=int64, num_classes=3),"
            " and label_kind has 'labels' for it, which must be a Sequence of ClassLabel; change"
            " label_kind",
        ),
        (
            {"note": "numbers"},
            "mixed of TFDS: the feature 'note' is Text(shape=(), dtype=string), and label_kind has"
            " 'numbers' for it, which must be one number, or a vector of float numbers; change"
            " label_kind",
        ),
    ],
)
def test_an_output_without_a_feature_of_its_kind_is_an_error_in_one_line(
    label_datasets, kinds, message
):
    with pytest.raises(UserError) as error:
        require_labelled_images("mixed", label_datasets, kinds)
    assert str(error.value) == message


def test_the_error_of_a_nested_feature_stays_on_one_line():
    boxes = features.Sequence({"box": features.BBoxFeature(), "tag": TAGS.feature})
    with pytest.raises(UserError, match=r"^birds .* 'objects' is Sequence, and label_kind has "):
        dataset_features("birds", Info({"image": IMAGE, "objects": boxes}), {"objects": "labels"})


def test_classes_of_an_output_must_be_known():
    info = Info({"image": IMAGE, "kind": features.ClassLabel()})
    with pytest.raises(UserError, match="num_classes=None"):
        dataset_features("birds", info, {"kind": "class"})


def test_several_outputs_need_one_image():
    with pytest.raises(UserError) as error:
        dataset_features("birds", Info({"size": NUMBER}), {"size": "numbers"})
    assert str(error.value) == ("birds of TFDS is not an image dataset: its examples have no image")
