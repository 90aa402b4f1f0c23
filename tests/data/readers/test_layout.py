"""How a folder of images may be laid out, and what is said of any other layout."""

import pytest

from trainer import UserError
from trainer.data.readers.folder import folder_source

LAYOUT = "the layout must be PATH/<class>/*.jpg, or PATH/train/<class>/*.jpg"


def splits(*names):
    return {f"{name}/{x}": 2 for name in names for x in "ab"}


def messages(caplog, level):
    return [record.getMessage() for record in caplog.records if record.levelname == level]


@pytest.mark.parametrize(
    "names",
    [
        ("train", "validation", "test"),
        ("Train", "Validation", "Test"),
        ("TRAINING", "VAL", "TESTING"),
        ("training", "dev", "testing"),
        ("train", "eval", "test"),
    ],
)
def test_splits_have_their_usual_names_in_any_case(class_folders, names):
    source = folder_source(class_folders(splits(*names)))
    assert source.examples == {"train": 4, "validation": 4, "test": 4}
    assert source.cut == ()


def test_with_train_and_test_alone_validation_is_cut(class_folders):
    assert folder_source(class_folders(splits("Train", "Test"))).cut == ("validation",)


def test_a_folder_beside_the_splits_that_is_not_used_is_told(class_folders, caplog):
    folder_source(class_folders(splits("train", "valid", "test", "holdout")))
    [warning] = messages(caplog, "WARNING")
    assert "holdout beside test and train and valid is not used" in warning


def test_an_empty_class_folder_is_told(class_folders, caplog):
    folder = class_folders({"a": 4, "b": 4, "empty": 0})
    assert folder_source(folder).classes == ("a", "b")
    assert messages(caplog, "WARNING") == [
        f"{folder / 'empty'} has no images: there is no such class"
    ]


def test_files_that_lie_beside_images_are_passed_over_and_counted(class_folders, caplog):
    folder = class_folders({"a": 4, "b": 4})
    for name in ("Thumbs.db", "desktop.ini", "labels.txt"):
        (folder / "a" / name).write_text("not an image")
    (folder / "b" / "__MACOSX").mkdir()
    with caplog.at_level("INFO", "trainer"):
        assert sum(folder_source(folder).examples.values()) == 8
    [message] = messages(caplog, "INFO")
    assert "4 files that are no images are passed over, the first is" in message


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"photos/a": 2, "photos/b": 2}, "the folders of classes are in {folder}/photos; choose"),
        ({".": 3}, "there are 3 images and no folders of classes; " + LAYOUT),
        (splits("valid", "test"), "there is test and valid and no train; " + LAYOUT),
        (
            {"a/x": 2, "a/y": 2, "b": 2},
            "there are folders in {folder}/a, not images alone; " + LAYOUT,
        ),
        ({"train/a/x": 2, "train/b": 2}, "there are folders in {folder}/train/a, not images"),
        (splits("train", "valid", "validation"), "are folders of the same split; remove or rename"),
    ],
)
def test_any_other_layout_is_one_line(class_folders, tmp_path, counts, message):
    if "." in counts:
        (tmp_path / "pictures").mkdir()
        folder = class_folders({"x": counts["."]})
        for file in list((folder / "x").iterdir()):
            file.rename(folder / file.name)
        (folder / "x").rmdir()
    else:
        folder = class_folders(counts)
    with pytest.raises(UserError) as error:
        folder_source(folder)
    assert str(error.value).startswith(f"--data {folder}: ")
    assert message.format(folder=folder) in str(error.value)
    assert "--skip-bad-images" not in str(error.value)
