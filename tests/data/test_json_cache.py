"""The JSON cache returns what was put into it, whole, or nothing."""

import json

import pytest

from trainer.data.json_cache import NO_CACHE, JsonCache

KEY, CONTENT = ["digests", 1], {"digests": ["00", "ff"], "count": 12}


@pytest.fixture
def cache(tmp_path):
    """A cache in a folder that does not exist yet."""
    return JsonCache(tmp_path / "cache" / "datasets")


@pytest.fixture
def file(cache):
    """The file of an entry."""
    cache.put(KEY, CONTENT)
    [path] = cache.folder.iterdir()
    return path


def test_content_is_found_by_its_key(cache):
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) == CONTENT


def test_another_key_has_no_content(cache):
    cache.put(KEY, CONTENT)
    assert cache.get(["digests", 2]) is None


def test_content_is_computed_once(cache):
    contents = iter([CONTENT, "another"])
    found = [cache.get_or_compute(KEY, lambda: next(contents)) for _ in range(2)]
    assert found == [CONTENT, CONTENT]


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"content": 1}', "\udcff"])
def test_a_file_that_is_no_entry_is_ignored(cache, file, damaged):
    file.write_bytes(damaged.encode(errors="surrogateescape"))
    assert cache.get(KEY) is None


def test_every_changed_byte_is_noticed(cache, file):
    whole = file.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        file.write_bytes(changed)
        assert cache.get(KEY) in (None, CONTENT)


def test_a_truncated_file_is_noticed(cache, file):
    text = file.read_text()
    file.write_text(text[: len(text) // 2])
    assert cache.get(KEY) is None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").touch()
    cache = JsonCache(tmp_path / "file" / "below")
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) is None


def test_without_a_folder_nothing_is_kept():
    NO_CACHE.put(KEY, CONTENT)
    assert NO_CACHE.get(KEY) is None


def test_the_file_is_json_that_a_person_can_read(file):
    assert json.loads(file.read_text())["content"] == CONTENT
