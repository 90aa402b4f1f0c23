"""Files cut into splits by what is in them."""

import hashlib
import itertools
from collections import Counter

import pytest

from trainer.data import SPLITS
from trainer.data.readers.digests import file_digests
from trainer.data.readers.partition import LabelledFile, partition, places_of, quotas, shares

THREE = {"train": 70, "validation": 15, "test": 15}
HELD_OUT = ("validation", "test")


def digest(number):
    return hashlib.sha256(str(number).encode()).digest()


def digests(count, first=0):
    return {digest(number) for number in range(first, first + count)}


def counts(places):
    found = Counter(places.values())
    return tuple(found[split] for split in SPLITS)


def cut(files, missing):
    return partition(files, file_digests([file.path for file in files]), missing)


@pytest.fixture
def files(tmp_path):
    """Writes files of these contents, by class and name; gives them in their order."""

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
def test_each_split_gets_its_share(count, expected):
    assert tuple(quotas(count, THREE).values()) == expected


def test_shares_add_up():
    assert [sum(quotas(count, THREE).values()) for count in range(400)] == list(range(400))


def test_no_split_is_without_where_there_are_three():
    assert min(min(quotas(count, THREE).values()) for count in range(3, 400)) == 1


def test_no_share_is_off_by_more_than_one():
    for count in range(20, 400):
        for split, found in quotas(count, THREE).items():
            assert abs(found - count * THREE[split] / 100) <= 1


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (HELD_OUT, THREE),
        (("validation",), {"train": 85, "validation": 15}),
        (("test",), {"train": 85, "test": 15}),
    ],
)
def test_what_is_missing_is_taken_from_train(missing, expected):
    assert shares(missing) == expected


# Which go where.


def test_every_class_is_cut_by_itself():
    classes = [digests(20), digests(100, first=50), digests(7, first=500)]
    places = places_of(classes, THREE)
    found = [counts({picture: places[picture] for picture in pictures}) for pictures in classes]
    assert found == [(14, 3, 3), (70, 15, 15), (5, 1, 1)]


def test_what_rounding_gives_to_one_split_it_gives_to_another_elsewhere():
    places = places_of([digests(10, first=10 * number) for number in range(200)], THREE)
    train, validation, test = counts(places)
    assert train == 1400
    assert abs(validation - test) < 43  # three standard deviations of 200 coins


def test_the_order_of_classes_has_no_say():
    classes = [digests(20), digests(9, first=15), digests(4, first=22), digests(4, first=2)]
    places = [places_of(order, THREE) for order in itertools.permutations(classes)]
    assert all(found == places[0] for found in places)


def test_one_picture_more_moves_two_others_at_most():
    for count in range(3, 120):
        before = places_of([digests(count)], THREE)
        after = places_of([digests(count + 1)], THREE)
        assert sum(after[picture] != before[picture] for picture in before) <= 2


def test_one_picture_more_moves_none_of_another_class():
    cats, dogs = digests(30), digests(30, first=100)
    before = places_of([cats, dogs], THREE)
    after = places_of([cats | digests(5, first=200), dogs], THREE)
    assert {picture: after[picture] for picture in dogs} == {p: before[p] for p in dogs}


@pytest.mark.parametrize("shared", range(11))
def test_classes_that_share_pictures_are_each_in_every_split(shared):
    cats, dogs = digests(10), digests(8, first=10 - shared)
    places = places_of([cats, dogs], THREE)
    for pictures in (cats, dogs):
        assert {places[picture] for picture in pictures} == set(SPLITS)


def test_a_class_makes_up_for_what_a_rarer_one_has_placed():
    cats, lions = digests(20), digests(5)
    places = places_of([cats, lions], THREE)
    assert counts({picture: places[picture] for picture in cats}) == (14, 3, 3)


def test_without_a_class_nothing_is_placed():
    assert places_of([], THREE) == {}


# Files.


def test_copies_are_together_whatever_their_names_and_labels(files):
    contents = {f"cat/{n}": f"picture {n}".encode() for n in range(30)}
    copies = {f"dog/copy-{n}": f"picture {n}".encode() for n in range(10)}
    others = {f"dog/{n}": f"dog {n}".encode() for n in range(20)}
    parts = cut(files({**contents, **copies, **others}), HELD_OUT)
    found = [{file.path.read_bytes() for file in part} for part in parts.values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 50


def test_copies_do_not_count_twice(files):
    once = {f"cat/{n}": f"picture {n}".encode() for n in range(20)}
    often = {f"cat/copy-{n}": b"picture 0" for n in range(90)}
    parts = cut(files({**once, **often}), HELD_OUT)
    found = [len({file.path.read_bytes() for file in part}) for part in parts.values()]
    assert found == [14, 3, 3]


def test_files_are_in_the_order_of_their_contents_whatever_their_names(files):
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
