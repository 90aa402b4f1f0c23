"""Features at an address: one machine extracts, others download what is whole there."""

import fsspec
import pytest

from tests.features.sharing_process import slow_extractor, spec_of
from trainer import UserError
from trainer.features.store import SHARD_ROWS, FeatureStore
from trainer.remote.features import RemoteFeatures
from trainer.remote.folder import RemoteError, RemoteFolder

EXAMPLES = SHARD_ROWS + 5
ADDRESS = "memory://cache/features"


@pytest.fixture
def machine(tmp_path):
    """The store of a machine, by its name."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield lambda name: FeatureStore(tmp_path / name, RemoteFeatures(ADDRESS))
    memory.store.clear()


def features(store):
    return store.features(spec_of(EXAMPLES, slow_extractor(0)))


def key():
    return spec_of(EXAMPLES, slow_extractor(0)).key


def test_another_machine_extracts_nothing(machine, tmp_path):
    features(machine("one"))
    other = machine("other")
    features(other)
    assert other.extracted == 0
    assert contents(tmp_path / "one" / key()) == contents(tmp_path / "other" / key())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_features_without_their_manifest_do_not_count(machine):
    """As a killed upload leaves them."""
    features(machine("one"))
    RemoteFolder(ADDRESS).remove(f"{key()}.manifest.json")
    other = machine("other")
    features(other)
    assert other.extracted == EXAMPLES


def test_damaged_features_are_extracted_again_with_a_warning(machine, caplog):
    features(machine("one"))
    RemoteFolder(ADDRESS).write(f"{key()}/00000.vectors.npy", b"damage")
    other = machine("other")
    features(other)
    assert other.extracted == EXAMPLES
    assert [line.rpartition("; ")[2] for line in caplog.messages] == [
        "the features are extracted again"
    ]


def test_features_that_are_here_are_uploaded_where_they_are_missing(machine, tmp_path):
    FeatureStore(tmp_path / "one").features(spec_of(EXAMPLES, slow_extractor(0)))
    store = machine("one")
    features(store)
    assert store.extracted == 0
    assert f"{key()}.manifest.json" in RemoteFolder(ADDRESS).files()


def test_features_that_are_here_and_there_are_neither_down_nor_uploaded(machine, monkeypatch):
    store = machine("one")
    features(store)

    def refuse(*arguments):
        raise RemoteError("it was asked for")

    for name in ("download", "upload", "write"):
        monkeypatch.setattr(RemoteFolder, name, refuse)
    features(store)


def test_an_address_that_cannot_be_written_is_an_error(machine, monkeypatch):
    def refuse(*arguments):
        raise RemoteError("memory://cache/features/x cannot be written")

    monkeypatch.setattr(RemoteFolder, "upload", refuse)
    with pytest.raises(UserError, match="cannot be written"):
        features(machine("one"))
