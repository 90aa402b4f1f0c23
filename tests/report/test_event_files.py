"""TensorBoard's files, cut back to where they were: every point stands there once."""

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from trainer.report.event_files import event_file_sizes, truncate_event_files
from trainer.report.summaries import Summaries


def steps(run, split="train"):
    """Of the points of a split, in the order in which they stand."""
    return [
        event.step
        for path in sorted((run / split).glob("events.*"))
        for event in EventFileLoader(str(path)).Load()
        if event.summary.value
    ]


@pytest.fixture
def summaries(tmp_path):
    return Summaries(tmp_path)


def write(summaries, *at, split="train"):
    for step in at:
        summaries.write(split, step, {"loss": 1 / step})
    summaries.flush()


def test_what_was_written_after_is_taken_away(summaries, tmp_path):
    write(summaries, 1, 2, 3)
    sizes = event_file_sizes(tmp_path)
    write(summaries, 4, 5)
    truncate_event_files(tmp_path, sizes)
    assert steps(tmp_path) == [1, 2, 3]


def test_what_another_process_writes_then_comes_behind(summaries, tmp_path):
    write(summaries, 1, 2)
    sizes = event_file_sizes(tmp_path)
    write(summaries, 3)
    truncate_event_files(tmp_path, sizes)
    write(Summaries(tmp_path), 3, 4)
    assert steps(tmp_path) == [1, 2, 3, 4]


def test_a_file_that_was_not_there_is_taken_away(summaries, tmp_path):
    write(summaries, 1)
    sizes = event_file_sizes(tmp_path)
    write(summaries, 2, split="validation")
    truncate_event_files(tmp_path, sizes)
    assert steps(tmp_path) == [1]
    assert not list((tmp_path / "validation").iterdir())


def test_where_nothing_was_written_nothing_is_left(summaries, tmp_path):
    for split in ("train", "validation", "test"):
        write(summaries, 1, split=split)
    truncate_event_files(tmp_path, {})
    assert event_file_sizes(tmp_path) == {}


def test_where_nothing_came_after_nothing_changes(summaries, tmp_path):
    write(summaries, 1, 2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("events.*")}
    truncate_event_files(tmp_path, event_file_sizes(tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.rglob("events.*")} == before


def test_half_a_point_that_a_killed_process_left_is_cut_off(summaries, tmp_path):
    write(summaries, 1, 2)
    sizes = event_file_sizes(tmp_path)
    write(summaries, 3)
    [path] = tmp_path.rglob("events.*")
    path.write_bytes(path.read_bytes()[:-5])
    truncate_event_files(tmp_path, sizes)
    assert steps(tmp_path) == [1, 2]


def test_sizes_are_told_by_paths_within_the_run(summaries, tmp_path):
    write(summaries, 1)
    write(summaries, 1, split="test")
    assert {name.partition("/")[0] for name in event_file_sizes(tmp_path)} == {"train", "test"}
    for name, size in event_file_sizes(tmp_path).items():
        assert (tmp_path / name).stat().st_size == size


def test_other_files_are_left_alone(summaries, tmp_path):
    write(summaries, 1)
    others = [tmp_path / "history.csv", tmp_path / "train" / "mine.txt", tmp_path / "events.out.x"]
    for path in others:
        path.write_text("kept")
    truncate_event_files(tmp_path, {})
    assert [path.read_text() for path in others] == ["kept"] * 3
