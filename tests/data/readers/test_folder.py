"""A folder of class folders: the split, class and order of its images."""

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from trainer import UserError
from trainer.core.hashing import file_sha256
from trainer.data import SPLITS
from trainer.data.checks.audit import audit
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.readers import partition
from trainer.data.readers.folder import folder_source

SPLIT_FOLDERS = {f"{split}/{name}": 2 for split in SPLITS for name in ("cat", "dog")}
HELD_OUT = ("validation", "test")


def files(source, split):
    return [
        Path(path.decode()) for path, _ in source.splits[split].references().as_numpy_iterator()
    ]


def labelled(source, split):
    """The class's name and the file of each example."""
    pairs = source.splits[split].references().as_numpy_iterator()
    return [(source.classes[label], Path(path.decode())) for path, label in pairs]


def digests(source, split):
    return {hashlib.sha256(file.read_bytes()).digest() for file in files(source, split)}


# PATH/<class>/*


def test_classes_are_the_folders_in_alphabetical_order(class_folders):
    source = folder_source(class_folders({"dog": 5, "Ant": 5, "cat": 5}))
    assert source.classes == ("Ant", "cat", "dog")


@pytest.mark.parametrize("split", SPLITS)
def test_every_image_has_the_class_of_its_folder(cats_and_dogs, split):
    source = folder_source(cats_and_dogs)
    assert all(name == file.parent.name for name, file in labelled(source, split))


@pytest.mark.parametrize(
    ("count", "expected"), [(5, (3, 1, 1)), (7, (5, 1, 1)), (20, (14, 3, 3)), (100, (70, 15, 15))]
)
def test_every_class_is_cut_70_15_15(class_folders, count, expected):
    source = folder_source(class_folders({"cat": count, "dog": count}))
    assert tuple(source.examples.values()) == tuple(2 * part for part in expected)


def test_every_image_is_in_one_split(cats_and_dogs):
    source = folder_source(cats_and_dogs)
    together = sorted(file for split in SPLITS for file in files(source, split))
    assert together == sorted(cats_and_dogs.glob("*/*"))


def test_copies_of_an_image_are_in_one_split(cats_and_dogs):
    for file in list(cats_and_dogs.glob("*/*")):
        for copy in range(3):
            shutil.copy(file, file.with_name(f"{copy}-{file.name}"))
    found = [digests(folder_source(cats_and_dogs), split) for split in SPLITS]
    assert sum(map(len, found)) == len(set.union(*found)) == 20


def test_an_image_under_two_labels_is_in_one_split(cats_and_dogs):
    for file in list((cats_and_dogs / "cat").iterdir()):
        shutil.copy(file, cats_and_dogs / "dog")
    found = [digests(folder_source(cats_and_dogs), split) for split in SPLITS]
    assert sum(map(len, found)) == len(set.union(*found)) == 20


def test_a_renamed_file_stays_in_its_split(cats_and_dogs):
    before = {split: digests(folder_source(cats_and_dogs), split) for split in SPLITS}
    for number, file in enumerate(sorted(cats_and_dogs.glob("*/*"), reverse=True)):
        file.rename(file.with_name(f"renamed-{number:03}.png"))
    assert {split: digests(folder_source(cats_and_dogs), split) for split in SPLITS} == before


def test_images_of_a_renamed_class_stay_in_their_splits(cats_and_dogs):
    before = {split: digests(folder_source(cats_and_dogs), split) for split in SPLITS}
    (cats_and_dogs / "cat").rename(cats_and_dogs / "zebra")
    assert {split: digests(folder_source(cats_and_dogs), split) for split in SPLITS} == before


def test_a_copied_folder_is_divided_in_the_same_way(cats_and_dogs, tmp_path):
    elsewhere = shutil.copytree(cats_and_dogs, tmp_path / "elsewhere")
    for split in SPLITS:
        here = [
            file.relative_to(cats_and_dogs) for file in files(folder_source(cats_and_dogs), split)
        ]
        there = [file.relative_to(elsewhere) for file in files(folder_source(elsewhere), split)]
        assert here == there


def test_a_class_may_be_called_test(class_folders):
    assert folder_source(class_folders({"test": 5, "exam": 5})).classes == ("exam", "test")


# PATH/{train,valid,test}/<class>/*


@pytest.mark.parametrize("name", ["valid", "validation", "val"])
def test_folders_of_splits_are_the_splits(class_folders, name):
    folder = class_folders(
        {"train/a": 3, "train/b": 1, f"{name}/a": 2, f"{name}/b": 1, "test/a": 1}
    )
    assert folder_source(folder).examples == {"train": 4, "validation": 3, "test": 1}


def test_images_of_a_split_are_sorted_by_path(class_folders):
    folder = class_folders(SPLIT_FOLDERS)
    assert files(folder_source(folder), "train") == sorted((folder / "train").glob("*/*"))


def test_a_class_that_a_split_lacks_keeps_its_label(class_folders):
    folder = class_folders({"train/a": 1, "train/b": 1, "train/c": 1, "valid/c": 2, "test/b": 1})
    assert [name for name, _ in labelled(folder_source(folder), "validation")] == ["c", "c"]


def test_a_class_that_only_the_test_has_is_a_class(class_folders):
    folder = class_folders({"train/a": 1, "train/b": 1, "valid/a": 1, "test/c": 1})
    assert folder_source(folder).classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("validation", {"train": 34, "validation": 6, "test": 4}),
        ("test", {"train": 34, "validation": 4, "test": 6}),
    ],
)
def test_a_split_that_is_missing_is_cut_from_train(class_folders, missing, expected):
    held_out = {f"{split}/{name}": 2 for split in HELD_OUT for name in "ab"}
    folder = class_folders({"train/a": 20, "train/b": 20} | held_out)
    shutil.rmtree(folder / missing)
    source = folder_source(folder)
    assert (source.examples, source.cut) == (expected, (missing,))


def test_a_folder_of_training_images_alone_is_cut_like_one_without_splits(class_folders):
    folder = class_folders({"train/a": 20, "train/b": 20})
    source, plain = folder_source(folder), folder_source(folder / "train")
    assert source.cut == plain.cut == HELD_OUT
    assert [files(source, split) for split in SPLITS] == [files(plain, split) for split in SPLITS]


def test_a_folder_with_all_splits_is_not_cut(class_folders):
    assert folder_source(class_folders(SPLIT_FOLDERS)).cut == ()


# Each file is read once.


@pytest.fixture
def reads(monkeypatch):
    """The files that have been hashed, each as often as it was."""
    found = Counter()

    def count(path):
        found[path] += 1
        return file_sha256(path)

    monkeypatch.setattr(partition, "file_sha256", count)
    return found


@pytest.mark.parametrize("counts", [{"cat": 10, "dog": 10}, SPLIT_FOLDERS])
def test_a_first_run_hashes_every_file_once_and_a_second_one_none(
    class_folders, counts, reads, tmp_path
):
    folder, cache = class_folders(counts), JsonCache(tmp_path / "cache")
    audit(folder_source(folder, cache=cache), cache)
    assert reads == dict.fromkeys(folder.rglob("*.png"), 1)
    audit(folder_source(folder, cache=cache), cache)
    assert reads == dict.fromkeys(folder.rglob("*.png"), 1)


def test_the_audit_of_a_folder_that_was_cut_reads_no_file(cats_and_dogs):
    source = folder_source(cats_and_dogs)
    for file in cats_and_dogs.rglob("*.png"):
        file.unlink()
    assert audit(source, NO_CACHE).warnings() == []


@pytest.mark.parametrize("counts", [{"cat": 10, "dog": 10}, SPLIT_FOLDERS])
def test_digests_are_in_the_order_of_the_examples(class_folders, counts):
    source = folder_source(class_folders(counts))
    for split in SPLITS:
        expected = [file_sha256(file) for file in files(source, split)]
        assert source.splits[split].digests() == expected


# Other files.


@pytest.mark.parametrize("hidden", [".DS_Store", "cat/.DS_Store", "cat/._000.png", ".git/config"])
def test_hidden_files_are_ignored(cats_and_dogs, hidden):
    (cats_and_dogs / hidden).parent.mkdir(exist_ok=True)
    (cats_and_dogs / hidden).write_text("not a picture")
    assert sum(folder_source(cats_and_dogs).examples.values()) == 20


def test_files_beside_the_class_folders_are_ignored(cats_and_dogs):
    (cats_and_dogs / "LICENSE.txt").write_text("free")
    assert folder_source(cats_and_dogs).classes == ("cat", "dog")


def test_an_empty_class_folder_is_no_class(cats_and_dogs):
    (cats_and_dogs / "bird").mkdir()
    assert folder_source(cats_and_dogs).classes == ("cat", "dog")


def test_symbolic_links_to_images_are_followed(cats_and_dogs, tmp_path):
    linked = tmp_path / "linked"
    for name in ("cat", "dog"):
        (linked / name).mkdir(parents=True)
        for file in (cats_and_dogs / name).iterdir():
            (linked / name / file.name).symlink_to(file)
    assert folder_source(linked).examples == folder_source(cats_and_dogs).examples


@pytest.mark.parametrize("name", ["größe 1.png", "a%b{c}.png", "[x]*?.png", "no_ending"])
def test_a_file_may_have_any_name(cats_and_dogs, name):
    first = next((cats_and_dogs / "cat").iterdir())
    renamed = first.rename(first.with_name(name))
    source = folder_source(cats_and_dogs)
    assert renamed in [file for split in SPLITS for file in files(source, split)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"a text", "is not an image of a supported format"), (b"", "is empty")],
)
def test_a_file_that_is_no_image_is_named(cats_and_dogs, content, reason):
    path = cats_and_dogs / "dog" / "notes.jpg"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path} {reason}"):
        folder_source(cats_and_dogs)


def test_a_link_to_nowhere_is_named(cats_and_dogs):
    path = cats_and_dogs / "dog" / "lost.png"
    path.symlink_to("nowhere.png")
    with pytest.raises(UserError, match=f"^{path} cannot be read"):
        folder_source(cats_and_dogs)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=f"^--data {tmp_path / 'nowhere'}: there is no such folder"):
        folder_source(tmp_path / "nowhere")


@pytest.mark.parametrize(("typed", "meant"), [("photo", "photos"), ("tdfs", "tfds")])
def test_a_folder_that_is_not_there_is_told_the_nearest(typed, meant, tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"there is no such folder; did you mean {meant}\?"):
        folder_source(Path(typed))


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"cat": 5}, "found only 'cat'"),
        ({"train/cat": 5, "test/cat": 5, "valid/cat": 5}, "found only 'cat'"),
        ({"cat": 0, "dog": 0}, "found none"),
    ],
)
def test_fewer_than_two_classes_are_an_error(class_folders, counts, reason):
    with pytest.raises(UserError, match=reason):
        folder_source(class_folders(counts))


def test_a_split_without_images_is_named(class_folders):
    folder = class_folders(SPLIT_FOLDERS | {"test/cat": 0, "test/dog": 0})
    with pytest.raises(UserError, match=r"the test split .* has no examples"):
        folder_source(folder)


def test_a_file_may_have_a_name_that_is_not_utf_8(cats_and_dogs):
    first = next((cats_and_dogs / "cat").iterdir())
    first.rename(first.with_name(os.fsdecode(b"gr\xf6\xdfe.png")))
    assert sum(folder_source(cats_and_dogs).examples.values()) == 20


# The splits.


@pytest.mark.parametrize("split", SPLITS)
def test_an_example_is_described_by_its_file(cats_and_dogs, split):
    source = folder_source(cats_and_dogs)
    names = [source.splits[split].describe(n) for n in range(source.examples[split])]
    assert names == [str(file) for file in files(source, split)]


def test_the_encoded_image_of_an_example_is_its_file(cats_and_dogs):
    split = folder_source(cats_and_dogs).splits["test"]
    path, _ = next(iter(split.references()))
    assert split.read(path).numpy() == Path(path.numpy().decode()).read_bytes()


def test_the_name_of_a_source_is_its_path(cats_and_dogs):
    source = folder_source(cats_and_dogs)
    assert (source.kind, source.name, source.version) == ("folder", str(cats_and_dogs), None)


def test_a_class_may_be_called_train(class_folders):
    source = folder_source(class_folders({"bus": 8, "train": 8}))
    assert source.classes == ("bus", "train")
