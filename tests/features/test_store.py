"""The feature store: every image passes the extractor once in its life, whatever happens."""

import json
import multiprocessing

import numpy as np
import pytest

from trainer import Config, UserError
from trainer.data.pipeline.augment import PRESETS, EpochAugmentation
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import extract, joined
from trainer.features.store import SHARD_ROWS, FeatureSpec, FeatureStore

EXAMPLES = 2 * SHARD_ROWS + 5


class Killed(BaseException):
    """What a kill looks like from within: nothing that anyone catches."""


@pytest.fixture(scope="module")
def extractor(vector_module):
    return Extractor.from_network(load_network(Config(extractor=str(vector_module))))


@pytest.fixture
def split(split_of, picture, encoded):
    pictures = [encoded(picture(number), "PNG") for number in range(7)]
    return split_of([pictures[number % 7] for number in range(EXAMPLES)])


class Counting:
    """An extractor that counts the images which pass it, and may be killed after so many."""

    def __init__(self, extractor, killed_after=None):
        self.images, self._extractor, self._killed_after = 0, extractor, killed_after

    def __call__(self) -> Extractor:
        really = self._extractor
        return Extractor(really.name, really.image_size, really.shape, self._pass)

    def _pass(self, images):
        if self._killed_after is not None and self.images >= self._killed_after:
            raise Killed
        self.images += len(images)
        return self._extractor(images)


@pytest.fixture
def counting(extractor):
    return Counting(extractor)


@pytest.fixture
def store(tmp_path):
    said = []
    store = FeatureStore(tmp_path / "features", said.append)
    store.said = said
    return store


def wanted(split, extractor, **identity) -> FeatureSpec:
    return FeatureSpec("pictures", {"split": split.fingerprint, **identity}, split, extractor)


def silent(*_):
    pass


def files(store) -> list[str]:
    return sorted(path.name for path in store._folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def kept(store, split, counting):
    """Features that were computed, and the folder they are kept in."""
    features = store.features(wanted(split, counting), silent).loaded()
    return features, store._folder / wanted(split, counting).key


def test_features_are_the_extractors(kept, split, extractor):
    features, _ = kept
    assert features.vectors.shape == (EXAMPLES, *extractor.shape)
    np.testing.assert_array_equal(features.labels, np.arange(EXAMPLES))


def test_each_image_passes_the_extractor_once_in_its_life(kept, store, split, counting):
    passed = counting.images
    again = store.features(wanted(split, counting), silent).loaded()
    assert counting.images == passed
    np.testing.assert_array_equal(again.vectors, kept[0].vectors)


def test_kept_features_need_no_extractor(kept, store, split):
    def none() -> Extractor:
        raise AssertionError("it was loaded")

    store.features(wanted(split, none), silent)


def test_another_identity_has_features_of_its_own(kept, store, split, counting):
    passed = counting.images
    store.features(wanted(split, counting, image_size=16), silent)
    assert counting.images == 2 * passed


def test_it_counts_the_images_that_had_to_pass(kept, store, split, counting):
    assert store.extracted == EXAMPLES
    store.features(wanted(split, counting), silent)
    assert store.extracted == EXAMPLES


def test_progress_is_told_up_to_the_last_image(store, split, counting):
    told = []
    store.features(wanted(split, counting), lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (EXAMPLES, EXAMPLES)


@pytest.mark.parametrize("after", [0, 31, SHARD_ROWS, SHARD_ROWS + 64, 2 * SHARD_ROWS])
def test_a_killed_extraction_goes_on_from_its_last_whole_shard(
    store, split, extractor, kept, after, tmp_path
):
    other = FeatureStore(tmp_path / "other", silent)
    with pytest.raises(Killed):
        other.features(wanted(split, Counting(extractor, killed_after=after)), silent)
    rest = Counting(extractor)
    features = other.features(wanted(split, rest), silent).loaded()
    assert rest.images <= EXAMPLES + 32 - after // SHARD_ROWS * SHARD_ROWS
    np.testing.assert_array_equal(features.vectors, kept[0].vectors)


def test_unfinished_features_are_never_taken_for_finished_ones(store, split, extractor):
    with pytest.raises(Killed):
        store.features(wanted(split, Counting(extractor, killed_after=SHARD_ROWS)), silent)
    assert files(store) == [f"{wanted(split, None).key}.partial"]


def test_finished_features_leave_nothing_unfinished(kept, store, split):
    assert files(store) == [wanted(split, None).key]


@pytest.mark.parametrize("name", ["00001.vectors.npy", "00001.labels.npy"])
@pytest.mark.parametrize("damage", ["a byte", "the end", "the file"])
def test_a_damaged_shard_is_computed_again_and_said(kept, store, split, counting, name, damage):
    features, folder = kept
    hurt(folder / name, damage)
    counting.images = 0
    again = store.features(wanted(split, counting), silent).loaded()
    assert counting.images == SHARD_ROWS
    np.testing.assert_array_equal(again.vectors, features.vectors)
    [line] = store.said
    assert name in line
    assert line.endswith(f"its {SHARD_ROWS} images are extracted again")


def hurt(path, damage):
    content = bytearray(path.read_bytes())
    if damage == "a byte":
        content[-1] ^= 1
    if damage == "the file":
        path.unlink()
    else:
        path.write_bytes(content[: None if damage == "a byte" else -1])


def test_a_mended_shard_is_whole_the_next_time(kept, store, split, counting):
    _, folder = kept
    hurt(folder / "00000.vectors.npy", "a byte")
    store.features(wanted(split, counting), silent)
    counting.images = 0
    store.features(wanted(split, counting), silent)
    assert counting.images == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"shards": []}', b"\xff\xfe", None])
def test_without_its_manifest_everything_is_computed_again(kept, store, split, counting, content):
    features, folder = kept
    manifest = folder / "manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)
    again = store.features(wanted(split, counting), silent).loaded()
    np.testing.assert_array_equal(again.vectors, features.vectors)
    assert store.said == [f"{manifest} is damaged; all features are extracted again"]


def test_the_manifest_tells_what_the_features_are_of(kept, split):
    _, folder = kept
    content = json.loads((folder / "manifest.json").read_text())
    assert content["about"] == "pictures"
    assert content["identity"] == {"split": split.fingerprint}
    assert sum(shard["rows"] for shard in content["shards"]) == EXAMPLES


def test_a_folder_that_cannot_be_written_is_told(split, counting, tmp_path):
    (tmp_path / "file").touch()
    store = FeatureStore(tmp_path / "file" / "features", silent)
    with pytest.raises(UserError, match="give another --cache-dir"):
        store.features(wanted(split, counting), silent)


def test_of_two_processes_one_computes_and_the_other_waits_and_says_so(split, counting, tmp_path):
    """The lock is held by a real process, which lets go once we have said that we wait."""
    context = multiprocessing.get_context("spawn")
    held, let_go = context.Event(), context.Event()
    said = []

    def say(line: str) -> None:
        said.append(line)
        let_go.set()

    folder = tmp_path / "features"
    folder.mkdir()
    lock = folder / f"{wanted(split, counting).key}.lock"
    other = context.Process(target=hold, args=(str(lock), held, let_go))
    other.start()
    assert held.wait(30)
    features = FeatureStore(folder, say).features(wanted(split, counting), silent)
    other.join()
    assert features.examples == EXAMPLES
    assert said == ["another run is computing these features; waiting for it"]


def hold(path, held, let_go):
    import filelock

    with filelock.FileLock(path):
        held.set()
        let_go.wait(30)


# Copies of varied images.


VARIATIONS = [EpochAugmentation(PRESETS["strong"], seed=0, epoch=copy) for copy in range(2)]


@pytest.fixture
def copies(store, split, counting):
    """The features of two copies of every image."""
    return store.copies(wanted(split, counting), VARIATIONS, silent).loaded()


def test_copies_are_the_features_of_each_variation_one_behind_the_other(copies, split, extractor):
    expected = joined(part for v in VARIATIONS for part in extract(split, extractor, v))
    np.testing.assert_array_equal(copies.vectors, expected.vectors)
    np.testing.assert_array_equal(copies.labels, [*range(EXAMPLES)] * 2)


def test_copies_differ_from_each_other_and_from_the_images_as_they_are(copies, kept):
    first, second = np.split(copies.vectors, 2)
    plain, _ = kept
    for one, other in [(first, second), (first, plain.vectors), (second, plain.vectors)]:
        assert (np.abs(one - other).max(axis=1) > 1e-4).mean() > 0.9


def test_copies_are_kept_too(copies, store, split, counting):
    passed = counting.images
    again = store.copies(wanted(split, counting), VARIATIONS, silent)
    assert counting.images == passed
    np.testing.assert_array_equal(again.loaded().vectors, copies.vectors)


def test_more_copies_need_only_the_new_ones(copies, store, split, counting):
    passed = counting.images
    third = EpochAugmentation(PRESETS["strong"], seed=0, epoch=2)
    store.copies(wanted(split, counting), [*VARIATIONS, third], silent)
    assert counting.images == passed * 3 // 2


def test_copies_killed_on_their_way_go_on_as_if_nothing_had_been(
    copies, split, extractor, tmp_path
):
    other = FeatureStore(tmp_path / "other", silent)
    killed = Counting(extractor, killed_after=EXAMPLES + SHARD_ROWS + 64)
    with pytest.raises(Killed):
        other.copies(wanted(split, killed), VARIATIONS, silent)
    features = other.copies(wanted(split, Counting(extractor)), VARIATIONS, silent).loaded()
    np.testing.assert_array_equal(features.vectors, copies.vectors)


def test_a_damaged_shard_of_a_copy_is_varied_again_as_before(copies, store, split, counting):
    place = store._folder / wanted(split, counting).varied(VARIATIONS[1]).key
    hurt(place / "00001.vectors.npy", "a byte")
    again = store.copies(wanted(split, counting), VARIATIONS, silent).loaded()
    np.testing.assert_array_equal(again.vectors, copies.vectors)


def test_progress_is_told_over_all_copies(store, split, counting):
    told = []
    wishes = wanted(split, counting)
    store.copies(wishes, VARIATIONS, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (2 * EXAMPLES, 2 * EXAMPLES)


@pytest.mark.parametrize(
    "other",
    [
        EpochAugmentation(PRESETS["strong"], seed=0, epoch=1),
        EpochAugmentation(PRESETS["strong"], seed=1, epoch=0),
        EpochAugmentation(PRESETS["light"], seed=0, epoch=0),
    ],
)
def test_another_variation_has_another_key(split, other):
    plain = wanted(split, None)
    keys = {plain.key, plain.varied(VARIATIONS[0]).key, plain.varied(other).key}
    assert len(keys) == 3
