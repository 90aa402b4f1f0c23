"""What was found out is kept whole and checked, or is found out again."""

import json

import pytest

from trainer.data.readers.json_cache import keep, kept

CONTENT = {"digests": ["00", "ff"], "count": 12}


@pytest.fixture
def path(tmp_path):
    """A file in a folder that is not there yet."""
    return tmp_path / "cache" / "found.json"


def test_what_was_kept_is_found_again(path):
    keep(path, CONTENT)
    assert kept(path) == CONTENT


def test_what_was_never_kept_is_none(path):
    assert kept(path) is None


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"content": 1}', "\udcff"])
def test_what_is_no_finding_is_none(path, damaged):
    keep(path, CONTENT)
    path.write_bytes(damaged.encode(errors="surrogateescape"))
    assert kept(path) is None


def test_every_changed_byte_is_noticed(path):
    keep(path, CONTENT)
    whole = path.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        path.write_bytes(changed)
        assert kept(path) in (None, CONTENT)


def test_a_cut_file_is_noticed(path):
    keep(path, CONTENT)
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    assert kept(path) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    keep(in_the_way / "below" / "found.json", CONTENT)
    assert kept(in_the_way / "below" / "found.json") is None


def test_the_file_is_json_that_a_person_can_read(path):
    keep(path, CONTENT)
    assert json.loads(path.read_text())["content"] == CONTENT
