"""The built-in samples: drawn once, kept, and the same for everybody."""

import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.readers.sample import SAMPLES, sample_folder

EXAMPLES = 30


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_folder("flowers", tmp_path_factory.mktemp("cache"), EXAMPLES)


def _pictures(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("*/*/*.jpg")
    }


def _never_draw(*_: object) -> None:
    raise AssertionError("drew a sample that was kept")


def test_the_folder_is_named_by_version_and_number_of_examples(flowers: Path) -> None:
    assert flowers.name == f"flowers-v{SAMPLES['flowers'].version}-{EXAMPLES}"


def test_the_splits_have_three_fifths_one_fifth_and_one_fifth(flowers: Path) -> None:
    counts = Counter(name.split("/")[0] for name in _pictures(flowers))
    assert counts == {"train": 18, "validation": 6, "test": 6}


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_is_balanced_over_all_the_classes(flowers: Path, split: str) -> None:
    counts = [len(list((flowers / split / name).iterdir())) for name in SAMPLES["flowers"].classes]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1


def test_pictures_are_numbered_within_their_class(flowers: Path) -> None:
    names = sorted(path.name for path in (flowers / "train" / "daisy").iterdir())
    assert names == ["0000.jpg", "0001.jpg", "0002.jpg", "0003.jpg"]


def test_pictures_are_colour_jpegs_about_240_pixels_a_side(flowers: Path) -> None:
    for path in flowers.glob("*/*/*.jpg"):
        with Image.open(path) as picture:
            picture.load()
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            assert all(180 <= side <= 300 for side in picture.size)


def test_pictures_differ_in_size(flowers: Path) -> None:
    sizes = {Image.open(path).size for path in flowers.glob("*/*/*.jpg")}
    assert len(sizes) > 5


def test_no_picture_is_there_twice(flowers: Path) -> None:
    digests = [sha256(picture).digest() for picture in _pictures(flowers).values()]
    assert len(set(digests)) == EXAMPLES


def test_another_machine_draws_the_same_pictures(flowers: Path, tmp_path: Path) -> None:
    assert _pictures(sample_folder("flowers", tmp_path, EXAMPLES)) == _pictures(flowers)


def test_a_smaller_sample_is_part_of_a_larger_one(flowers: Path, tmp_path: Path) -> None:
    smaller = _pictures(sample_folder("flowers", tmp_path, 25))
    assert smaller.items() <= _pictures(flowers).items()


def test_a_kept_sample_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sample_folder("horses", tmp_path, 10)
    monkeypatch.setattr(samples, "_draw_one", _never_draw)
    assert sample_folder("horses", tmp_path, 10) == first


def test_progress_is_reported_after_every_picture(tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    sample_folder("horses", tmp_path, 10, lambda done, total: reports.append((done, total)))
    assert reports == [(done, 10) for done in range(1, 11)]


def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_folder("horses", tmp_path, 10, interrupt)
    assert list((tmp_path / "samples").iterdir()) == []


def test_a_killed_drawing_leaves_no_half_made_sample_and_does_not_hurt_the_next(
    tmp_path: Path,
) -> None:
    killed = (
        "import os; from pathlib import Path; from trainer.data.readers.sample import sample_folder\n"
        f"sample_folder('horses', Path({str(tmp_path)!r}), 10, lambda *_: os._exit(9))"
    )
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == 9
    assert list((tmp_path / "samples").glob("horses-*")) == []
    assert len(_pictures(sample_folder("horses", tmp_path, 10))) == 10


def test_the_sample_of_a_process_that_finished_first_is_kept(tmp_path: Path) -> None:
    def finish_first(done: int, total: int) -> None:
        if done == total:
            theirs = tmp_path / "samples" / f"horses-v{SAMPLES['horses'].version}-10" / "theirs"
            theirs.mkdir(parents=True)

    folder = sample_folder("horses", tmp_path, 10, finish_first)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert list((tmp_path / "samples").iterdir()) == [folder]


def test_a_folder_that_cannot_be_moved_into_place_is_an_error(tmp_path: Path) -> None:
    def stand_in_the_way(done: int, total: int) -> None:
        if done == total:
            (tmp_path / "samples" / f"horses-v{SAMPLES['horses'].version}-10").touch()

    with pytest.raises(OSError):
        sample_folder("horses", tmp_path, 10, stand_in_the_way)


@pytest.mark.parametrize("examples", [24, 0, -5])
def test_too_few_examples_are_refused_with_the_least_that_will_do(
    tmp_path: Path, examples: int
) -> None:
    with pytest.raises(UserError) as refusal:
        sample_folder("flowers", tmp_path, examples)
    assert str(refusal.value) == (
        "--sample-examples must be at least 25 for the 5 classes of the flowers sample; "
        f"got {examples}"
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_default_number_of_examples_is_enough(name: str) -> None:
    assert SAMPLES[name].examples >= 100 * len(SAMPLES[name].classes)


def test_flowers_are_in_the_order_of_the_published_data_set() -> None:
    published = ("dandelion", "daisy", "tulips", "sunflowers", "roses")
    assert SAMPLES["flowers"].classes == published


def test_listing_the_samples_loads_no_numpy() -> None:
    listing = "import sys, trainer.data.readers.sample; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", listing], check=False).returncode == 0
