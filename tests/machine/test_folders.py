"""What can be written where, and how much room there is."""

import shutil

from trainer.machine.folders import inspect_folder


def inspect(path):
    return inspect_folder("runs", path, "--log-dir", needed=True)


def test_a_folder_that_is_not_there_can_be_made_where_the_one_around_it_can_be_written(tmp_path):
    found = inspect(tmp_path / "a" / "b")
    assert (found.exists, found.writable) == (False, True)


def test_looking_makes_nothing(tmp_path):
    inspect(tmp_path)
    inspect(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_its_place_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    assert not inspect(tmp_path / "file").writable
    assert not inspect(tmp_path / "file" / "logs").writable


def test_the_room_is_that_of_its_disk(tmp_path):
    total = shutil.disk_usage(tmp_path).total
    assert 0 < inspect(tmp_path / "a").free <= total
