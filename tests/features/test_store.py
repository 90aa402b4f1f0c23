"""The feature store: every image is extracted once, whatever happens."""

import contextlib
import json

import numpy as np
import pytest

from trainer import UserError
from trainer.config.transfer import TransferOptions
from trainer.core import concurrency
from trainer.core.progress import shown_by
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import PRESETS
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import concatenate, extract
from trainer.features.store import SHARD_ROWS, FeatureSpec, FeatureStore

EXAMPLES = 2 * SHARD_ROWS + 5


class Killed(BaseException):
    """What nobody catches, as nobody catches a kill."""


@pytest.fixture(autouse=True)
def in_turn(monkeypatch):
    """Images pass one batch after another: what is extracted before a kill is always the same."""
    monkeypatch.setattr(concurrency, "calls_at_once", lambda: 1)


@pytest.fixture(scope="module")
def extractor(vector_module):
    return Extractor.from_network(load_network(TransferOptions(extractor=str(vector_module))))


@pytest.fixture
def split(split_of, picture, encoded):
    pictures = [encoded(picture(number), "PNG") for number in range(7)]
    return split_of([pictures[number % 7] for number in range(EXAMPLES)])


class Counting:
    """Loads an extractor that counts its images, and is killed after a certain number."""

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
    return FeatureStore(tmp_path / "features")


def spec(split, extractor, **identity) -> FeatureSpec:
    return FeatureSpec("pictures", {"split": split.fingerprint, **identity}, split, extractor)


@pytest.fixture
def reported():
    """The progress that is reported, (done, total), to a display of this process."""
    reports = []

    @contextlib.contextmanager
    def bar(name, unit):
        assert (name, unit) == ("extracting train", "images")
        yield lambda done, total, note=None: reports.append((done, total))

    with shown_by(bar):
        yield reports


def files(store) -> list[str]:
    return sorted(path.name for path in store._folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def stored(store, split, counting):
    """Extracted features, and the folder they are stored in."""
    features = store.features(spec(split, counting)).load()
    return features, store._folder / spec(split, counting).key


def test_features_are_those_of_the_extractor(stored, split, extractor):
    features, _ = stored
    assert features.vectors.shape == (EXAMPLES, *extractor.shape)
    np.testing.assert_array_equal(features.labels, np.arange(EXAMPLES))


def test_stored_features_are_not_extracted_again(stored, store, split, counting):
    passed = counting.images
    again = store.features(spec(split, counting)).load()
    assert counting.images == passed
    np.testing.assert_array_equal(again.vectors, stored[0].vectors)


def test_stored_features_need_no_extractor(stored, store, split):
    def none() -> Extractor:
        raise AssertionError("the extractor was loaded")

    store.features(spec(split, none))


def test_features_of_another_identity_are_extracted(stored, store, split, counting):
    passed = counting.images
    store.features(spec(split, counting, image_size=16))
    assert counting.images == 2 * passed


def test_the_images_extracted_are_counted(stored, store, split, counting):
    assert store.extracted == EXAMPLES
    store.features(spec(split, counting))
    assert store.extracted == EXAMPLES


def test_progress_is_reported_up_to_the_last_image(store, split, counting, reported):
    store.features(spec(split, counting))
    assert reported == sorted(reported)
    assert reported[-1] == (EXAMPLES, EXAMPLES)


@pytest.mark.parametrize("after", [0, 31, SHARD_ROWS, SHARD_ROWS + 64, 2 * SHARD_ROWS])
def test_a_killed_extraction_continues_after_its_last_whole_shard(
    store, split, extractor, stored, after, tmp_path
):
    other = FeatureStore(tmp_path / "other")
    with pytest.raises(Killed):
        other.features(spec(split, Counting(extractor, killed_after=after)))
    rest = Counting(extractor)
    features = other.features(spec(split, rest)).load()
    assert rest.images <= EXAMPLES + 32 - after // SHARD_ROWS * SHARD_ROWS
    np.testing.assert_array_equal(features.vectors, stored[0].vectors)


def test_a_killed_extraction_leaves_a_partial_folder_only(store, split, extractor):
    with pytest.raises(Killed):
        store.features(spec(split, Counting(extractor, killed_after=SHARD_ROWS)))
    assert files(store) == [f"{spec(split, None).key}.partial"]


def test_a_finished_extraction_leaves_no_partial_folder(stored, store, split):
    assert files(store) == [spec(split, None).key]


@pytest.mark.parametrize("name", ["00001.vectors.npy", "00001.labels.npy"])
@pytest.mark.parametrize("damage", ["a byte", "the end", "the file"])
def test_a_damaged_shard_is_extracted_again_with_a_warning(
    stored, store, split, counting, name, damage, caplog
):
    features, folder = stored
    damage_file(folder / name, damage)
    counting.images = 0
    again = store.features(spec(split, counting)).load()
    assert counting.images == SHARD_ROWS
    np.testing.assert_array_equal(again.vectors, features.vectors)
    [line] = caplog.messages
    assert name in line
    assert line.endswith(f"its {SHARD_ROWS} images are extracted again")


def damage_file(path, damage):
    content = bytearray(path.read_bytes())
    if damage == "a byte":
        content[-1] ^= 1
    if damage == "the file":
        path.unlink()
    else:
        path.write_bytes(content[: None if damage == "a byte" else -1])


def test_a_shard_extracted_again_is_stored(stored, store, split, counting):
    _, folder = stored
    damage_file(folder / "00000.vectors.npy", "a byte")
    store.features(spec(split, counting))
    counting.images = 0
    store.features(spec(split, counting))
    assert counting.images == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"shards": []}', b"\xff\xfe", None])
def test_a_damaged_manifest_means_extracting_everything_again(
    stored, store, split, counting, content, caplog
):
    features, folder = stored
    manifest = folder / "manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)
    again = store.features(spec(split, counting)).load()
    np.testing.assert_array_equal(again.vectors, features.vectors)
    assert caplog.messages == [f"{manifest} is damaged; all features are extracted again"]


def test_the_manifest_records_what_the_features_are_of(stored, split):
    _, folder = stored
    content = json.loads((folder / "manifest.json").read_text())
    assert content["about"] == "pictures"
    assert content["identity"] == {"split": split.fingerprint}
    assert sum(shard["rows"] for shard in content["shards"]) == EXAMPLES


def test_a_folder_that_cannot_be_written_is_an_error(split, counting, tmp_path):
    (tmp_path / "file").touch()
    store = FeatureStore(tmp_path / "file" / "features")
    with pytest.raises(UserError, match="choose another --cache-dir"):
        store.features(spec(split, counting))


# Augmented copies.


AUGMENTATIONS = [EpochAugmentation(PRESETS["strong"], seed=0, epoch=copy) for copy in range(2)]


@pytest.fixture
def copies(store, split, counting):
    """The features of two copies of every image."""
    return store.copies(spec(split, counting), AUGMENTATIONS).load()


def test_copies_are_stored_one_after_another(copies, split, extractor):
    expected = concatenate(part for a in AUGMENTATIONS for part in extract(split, extractor, a))
    np.testing.assert_array_equal(copies.vectors, expected.vectors)
    np.testing.assert_array_equal(copies.labels, [*range(EXAMPLES)] * 2)


def test_copies_differ_from_each_other_and_from_the_original(copies, stored):
    first, second = np.split(copies.vectors, 2)
    plain, _ = stored
    for one, other in [(first, second), (first, plain.vectors), (second, plain.vectors)]:
        assert (np.abs(one - other).max(axis=1) > 1e-4).mean() > 0.9


def test_stored_copies_are_not_extracted_again(copies, store, split, counting):
    passed = counting.images
    again = store.copies(spec(split, counting), AUGMENTATIONS)
    assert counting.images == passed
    np.testing.assert_array_equal(again.load().vectors, copies.vectors)


def test_only_additional_copies_are_extracted(copies, store, split, counting):
    passed = counting.images
    third = EpochAugmentation(PRESETS["strong"], seed=0, epoch=2)
    store.copies(spec(split, counting), [*AUGMENTATIONS, third])
    assert counting.images == passed * 3 // 2


def test_a_killed_extraction_of_copies_continues(copies, split, extractor, tmp_path):
    other = FeatureStore(tmp_path / "other")
    killed = Counting(extractor, killed_after=EXAMPLES + SHARD_ROWS + 64)
    with pytest.raises(Killed):
        other.copies(spec(split, killed), AUGMENTATIONS)
    features = other.copies(spec(split, Counting(extractor)), AUGMENTATIONS).load()
    np.testing.assert_array_equal(features.vectors, copies.vectors)


def test_a_damaged_shard_of_a_copy_is_augmented_as_before(copies, store, split, counting):
    place = store._folder / spec(split, counting).augmented(AUGMENTATIONS[1]).key
    damage_file(place / "00001.vectors.npy", "a byte")
    again = store.copies(spec(split, counting), AUGMENTATIONS).load()
    np.testing.assert_array_equal(again.vectors, copies.vectors)


def test_progress_is_reported_over_all_copies(store, split, counting, reported):
    store.copies(spec(split, counting), AUGMENTATIONS)
    assert reported == sorted(reported)
    assert reported[-1] == (2 * EXAMPLES, 2 * EXAMPLES)


@pytest.mark.parametrize(
    "other",
    [
        EpochAugmentation(PRESETS["strong"], seed=0, epoch=1),
        EpochAugmentation(PRESETS["strong"], seed=1, epoch=0),
        EpochAugmentation(PRESETS["light"], seed=0, epoch=0),
    ],
)
def test_another_augmentation_has_another_key(split, other):
    plain = spec(split, None)
    keys = {plain.key, plain.augmented(AUGMENTATIONS[0]).key, plain.augmented(other).key}
    assert len(keys) == 3
