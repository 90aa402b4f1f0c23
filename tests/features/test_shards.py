"""Arrays of features on disk: whole, checked, never pickled."""

import numpy as np
import pytest

from trainer.core.hashing import file_sha256
from trainer.features.shards import DamagedShardError, read_array, write_array

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "array.npy"
    return path, write_array(path, ARRAY)


def test_an_array_is_read_as_it_was_written(written):
    np.testing.assert_array_equal(read_array(*written), ARRAY)


def test_an_array_is_mapped_into_memory_and_not_loaded(written):
    assert isinstance(read_array(*written), np.memmap)


@pytest.mark.parametrize("position", range(0, 176, 11))
def test_a_changed_byte_anywhere_is_detected(written, position):
    path, checksum = written
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedShardError, match=str(path)):
        read_array(path, checksum)


@pytest.mark.parametrize("left", [0, 1, 60, 175])
def test_a_truncated_file_is_detected(written, left):
    path, checksum = written
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DamagedShardError):
        read_array(path, checksum)


def test_a_missing_file_is_detected(written):
    path, checksum = written
    path.unlink()
    with pytest.raises(DamagedShardError, match="cannot be read"):
        read_array(path, checksum)


def test_a_pickle_is_never_loaded(tmp_path):
    """An array of objects would run the code of its pickle."""
    path = tmp_path / "array.npy"
    np.save(path, np.array([{"a": 1}]), allow_pickle=True)
    checksum = file_sha256(path)
    with pytest.raises(DamagedShardError, match="cannot be read"):
        read_array(path, checksum)


def test_an_array_of_objects_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="pickle"):
        write_array(tmp_path / "array.npy", np.array([{"a": 1}]))
