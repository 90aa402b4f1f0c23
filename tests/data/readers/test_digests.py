"""The SHA-256 of files, computed once."""

import hashlib
import os

import pytest

from trainer.data.readers.digests import file_digests


@pytest.fixture
def paths(tmp_path):
    """Three files."""
    found = [tmp_path / name for name in ("one", "two", "three")]
    for path in found:
        path.write_text(path.name)
    return found


@pytest.fixture
def memory(tmp_path):
    """A folder that is not there yet."""
    return tmp_path / "cache" / "datasets"


def test_a_digest_is_the_sha_256_of_the_bytes(paths, memory):
    expected = [hashlib.sha256(path.name.encode()).digest() for path in paths]
    assert file_digests(paths) == file_digests(paths, memory) == expected


def test_a_file_is_read_once(paths, memory):
    before = file_digests(paths, memory)
    state = paths[0].stat()
    paths[0].write_text("eno")
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file_digests(paths, memory) == before


@pytest.mark.parametrize("change", ["another size", "eno"])
def test_a_file_that_changed_is_read_again(paths, memory, change):
    file_digests(paths, memory)
    paths[0].write_text(change)
    os.utime(paths[0], (1, 1))
    assert file_digests(paths, memory)[0] == hashlib.sha256(change.encode()).digest()


@pytest.mark.parametrize("content", ["", "{", "[]", "[1]", '["no hex", "", ""]'])
def test_a_damaged_memory_is_computed_again(paths, memory, content):
    before = file_digests(paths, memory)
    [kept] = memory.iterdir()
    kept.write_text(content)
    assert file_digests(paths, memory) == before


def test_a_digest_that_changed_in_memory_is_noticed(paths, memory):
    before = file_digests(paths, memory)
    [kept] = memory.iterdir()
    digest = before[1].hex()
    kept.write_text(kept.read_text().replace(digest, digest[::-1]))
    assert file_digests(paths, memory) == before


def test_a_memory_that_cannot_be_written_is_done_without(paths, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert file_digests(paths, in_the_way / "below") == file_digests(paths)
