"""Files that are whole or not there at all."""

import threading

import pytest

from trainer.core.atomic import write_text

UNWRITABLE = "half a text \ud800"  # a lone surrogate is in no encoding


def test_a_text_is_written(tmp_path):
    write_text(tmp_path / "a.json", "größer\n")
    assert (tmp_path / "a.json").read_bytes() == "größer\n".encode()


def test_an_old_text_is_replaced(tmp_path):
    (tmp_path / "a.json").write_text("a much longer text than the new one")
    write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "new"


def test_nothing_else_is_left_beside_the_file(tmp_path):
    write_text(tmp_path / "a.json", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


def test_a_write_that_fails_leaves_the_old_text(tmp_path):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.json", UNWRITABLE)
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_write_that_fails_leaves_nothing_of_its_own(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.json", UNWRITABLE)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_half_a_text(tmp_path):
    path, texts = tmp_path / "a.json", {letter * 100_000 for letter in "ab"}
    write_text(path, "a" * 100_000)
    writer = threading.Thread(
        target=lambda: [write_text(path, text) for _ in range(20) for text in texts]
    )
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(path.read_text())
    assert seen <= texts


def test_others_may_read_the_file_as_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "usual").stat().st_mode
