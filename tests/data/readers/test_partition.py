"""Files divided into splits by their content."""

import hashlib
import itertools
import os
from collections import Counter

import pytest

from trainer.data import SPLITS
from trainer.data.json_cache import JsonCache
from trainer.data.readers.partition import (
    LabelledFile,
    assign_splits,
    file_digests,
    partition,
    split_percents,
    split_sizes,
)

THREE = {"train": 70, "validation": 15, "test": 15}
HELD_OUT = ("validation", "test")


def digest(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def digests(count, first=0):
    return {digest(number) for number in range(first, first + count)}


def counts(splits):
    found = Counter(splits.values())
    return tuple(found[split] for split in SPLITS)


def cut(files, missing):
    return partition(files, file_digests([file.path for file in files]), missing)


@pytest.fixture
def files(tmp_path):
    """Writes files of these contents, by class and name; returns them in the same order."""

    def write(contents):
        written = []
        for path, content in contents.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
            written.append(LabelledFile(tmp_path / path, path.partition("/")[0]))
        return written

    return write


# How many go where.


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, (1, 0, 0)),
        (2, (1, 1, 0)),
        (3, (1, 1, 1)),
        (4, (2, 1, 1)),
        (5, (3, 1, 1)),
        (7, (5, 1, 1)),
        (10, (7, 1, 2)),
        (20, (14, 3, 3)),
        (100, (70, 15, 15)),
        (1000, (700, 150, 150)),
    ],
)
def test_each_split_gets_its_percentage(count, expected):
    assert tuple(split_sizes(count, THREE).values()) == expected


def test_sizes_add_up():
    assert [sum(split_sizes(count, THREE).values()) for count in range(400)] == list(range(400))


def test_from_three_images_on_no_split_is_empty():
    assert min(min(split_sizes(count, THREE).values()) for count in range(3, 400)) == 1


def test_no_size_is_off_by_more_than_one():
    for count in range(20, 400):
        for split, found in split_sizes(count, THREE).items():
            assert abs(found - count * THREE[split] / 100) <= 1


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (HELD_OUT, THREE),
        (("validation",), {"train": 85, "validation": 15}),
        (("test",), {"train": 85, "test": 15}),
    ],
)
def test_missing_splits_are_taken_from_train(missing, expected):
    assert split_percents(missing) == expected


# Which go where.


def test_every_class_is_divided_separately():
    classes = [digests(20), digests(100, first=50), digests(7, first=500)]
    splits = assign_splits(classes, THREE)
    found = [counts({picture: splits[picture] for picture in pictures}) for pictures in classes]
    assert found == [(14, 3, 3), (70, 15, 15), (5, 1, 1)]


def test_rounding_favours_no_split_over_many_classes():
    splits = assign_splits([digests(10, first=10 * number) for number in range(200)], THREE)
    train, validation, test = counts(splits)
    assert train == 1400
    assert abs(validation - test) < 43  # three standard deviations of 200 coins


def test_the_order_of_classes_does_not_matter():
    classes = [digests(20), digests(9, first=15), digests(4, first=22), digests(4, first=2)]
    splits = [assign_splits(order, THREE) for order in itertools.permutations(classes)]
    assert all(found == splits[0] for found in splits)


def test_one_more_image_moves_two_others_at_most():
    for count in range(3, 120):
        before = assign_splits([digests(count)], THREE)
        after = assign_splits([digests(count + 1)], THREE)
        assert sum(after[picture] != before[picture] for picture in before) <= 2


def test_one_more_image_moves_none_of_another_class():
    cats, dogs = digests(30), digests(30, first=100)
    before = assign_splits([cats, dogs], THREE)
    after = assign_splits([cats | digests(5, first=200), dogs], THREE)
    assert {picture: after[picture] for picture in dogs} == {p: before[p] for p in dogs}


@pytest.mark.parametrize("shared", range(11))
def test_classes_that_share_images_are_each_in_every_split(shared):
    cats, dogs = digests(10), digests(8, first=10 - shared)
    splits = assign_splits([cats, dogs], THREE)
    for pictures in (cats, dogs):
        assert {splits[picture] for picture in pictures} == set(SPLITS)


def test_a_class_that_shares_images_with_a_smaller_one_still_has_its_sizes():
    cats, lions = digests(20), digests(5)
    splits = assign_splits([cats, lions], THREE)
    assert counts({picture: splits[picture] for picture in cats}) == (14, 3, 3)


def test_without_a_class_nothing_is_assigned():
    assert assign_splits([], THREE) == {}


# Files.


def test_copies_are_in_one_split_whatever_their_names_and_labels(files):
    contents = {f"cat/{n}": f"picture {n}".encode() for n in range(30)}
    copies = {f"dog/copy-{n}": f"picture {n}".encode() for n in range(10)}
    others = {f"dog/{n}": f"dog {n}".encode() for n in range(20)}
    parts = cut(files({**contents, **copies, **others}), HELD_OUT)
    found = [{file.path.read_bytes() for file in part} for part in parts.values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 50


def test_copies_are_counted_once(files):
    once = {f"cat/{n}": f"picture {n}".encode() for n in range(20)}
    often = {f"cat/copy-{n}": b"picture 0" for n in range(90)}
    parts = cut(files({**once, **often}), HELD_OUT)
    found = [len({file.path.read_bytes() for file in part}) for part in parts.values()]
    assert found == [14, 3, 3]


def test_files_are_sorted_by_content_whatever_their_names(files):
    contents = [str(number).encode() for number in range(20)]
    named = files({f"cat/{number}": content for number, content in enumerate(contents)})
    renamed = files({f"cat/{-number}": content for number, content in enumerate(contents)})
    parts = [cut(given, HELD_OUT) for given in (named, renamed)]
    for split in SPLITS:
        one, other = ([file.path.read_bytes() for file in part[split]] for part in parts)
        assert one == other


def test_every_file_is_in_one_part(files):
    given = files({f"cat/{n}": str(n % 7).encode() for n in range(20)})
    parts = cut(given, HELD_OUT)
    assert Counter(itertools.chain(*parts.values())) == Counter(given)


@pytest.mark.parametrize("missing", HELD_OUT)
def test_one_missing_split_is_cut_from_train(files, missing):
    parts = cut(files({f"cat/{n}": str(n).encode() for n in range(20)}), [missing])
    assert {split: len(part) for split, part in parts.items()} == {"train": 17, missing: 3}


# Digests.


@pytest.fixture
def paths(tmp_path):
    """Three files."""
    found = [tmp_path / name for name in ("one", "two", "three")]
    for path in found:
        path.write_text(path.name)
    return found


@pytest.fixture
def cache(tmp_path):
    """A cache in a folder that does not exist yet."""
    return JsonCache(tmp_path / "cache" / "datasets")


def test_a_digest_is_the_sha_256_of_the_file(paths, cache):
    expected = [hashlib.sha256(path.name.encode()).hexdigest() for path in paths]
    assert file_digests(paths) == file_digests(paths, cache) == expected


def test_a_file_is_read_once(paths, cache):
    before = file_digests(paths, cache)
    state = paths[0].stat()
    paths[0].write_text("eno")
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file_digests(paths, cache) == before


@pytest.mark.parametrize("change", ["another size", "eno"])
def test_a_file_that_changed_is_read_again(paths, cache, change):
    file_digests(paths, cache)
    paths[0].write_text(change)
    os.utime(paths[0], (1, 1))
    assert file_digests(paths, cache)[0] == hashlib.sha256(change.encode()).hexdigest()


def test_progress_is_shown_for_every_file(paths, progress):
    file_digests(paths)
    assert progress == [("reading files", number, 3) for number in (1, 2, 3)]


def test_a_file_that_does_not_exist_is_an_error(paths):
    paths[1].unlink()
    with pytest.raises(FileNotFoundError):
        file_digests(paths)
