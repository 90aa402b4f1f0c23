"""Checkpoints are whole wherever a crash strikes, and damage to them is noticed."""

import contextlib
import errno
import hashlib
import json
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer import UserError
from trainer.checkpoints.store import newest_checkpoint, restore_variables, write_checkpoint
from trainer.core import atomic

FILES = ["checksums.json", "training.json", "variables.data-00000-of-00001", "variables.index"]


def variables(value=0.0, **others) -> tf.train.Checkpoint:
    """Those of a model and an optimizer."""
    model = {"hidden/kernel": tf.Variable(tf.fill([4, 3], float(value)))}
    return tf.train.Checkpoint(
        model=model, optimizer=[tf.Variable(value), tf.Variable(1)], **others
    )


def kernel(checkpoint: tf.train.Checkpoint) -> float:
    return float(checkpoint.model["hidden/kernel"][0, 0])


def write(folder, *steps):
    """A checkpoint of each step, in which every number is the step."""
    for step in steps:
        write_checkpoint(folder, step, variables(float(step)), {"step": step})


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def everything(folder) -> dict[str, str]:
    """Each file below a folder by its path there, and what is in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints"


# Writing.


def test_the_last_three_are_kept(folder):
    write(folder, 7, 14, 21, 100)
    assert names(folder) == ["step-100", "step-14", "step-21"]


def test_the_newest_is_that_of_the_greatest_step(folder):
    write(folder, 99, 100)
    assert newest_checkpoint(folder).training == {"step": 100}


def test_a_second_one_of_a_step_does_not_replace_the_first(folder):
    write(folder, 7)
    first = everything(folder)
    write(folder, 7)
    assert names(folder) == ["step-7", "step-7-2"]
    assert first.items() <= everything(folder).items()


def test_the_tenth_of_a_step_is_newer_than_the_ninth(folder):
    write(folder, *[7] * 10)
    assert names(folder) == ["step-7-10", "step-7-8", "step-7-9"]
    assert newest_checkpoint(folder).path.name == "step-7-10"


def test_where_none_was_ever_written_there_is_none(folder):
    assert newest_checkpoint(folder) is None
    folder.mkdir()
    assert newest_checkpoint(folder) is None


def test_a_folder_without_its_final_name_is_no_checkpoint(folder):
    write(folder, 7)
    (folder / "step-7").rename(folder / ".writing-0123456789abcdef")
    assert newest_checkpoint(folder) is None


def test_what_a_killed_process_left_is_removed_and_nothing_else(folder):
    write(folder, 7)
    before = everything(folder)
    shutil.copytree(folder / "step-7", folder / ".writing-0123456789abcdef")
    shutil.copytree(folder / "step-7", folder / ".old-0123456789abcdef")
    atomic.remove_leftovers(folder)
    assert everything(folder) == before


def test_no_write_is_made_visible_before_all_of_it_is_on_the_disk(folder, monkeypatch):
    flushed = []

    def flush(file):
        flushed.append((str(Path(f"/proc/self/fd/{file}").readlink()), names(folder)))

    monkeypatch.setattr(os, "fsync", flush)
    write(folder, 7)
    *before, (last, visible) = flushed
    assert {name.rpartition("/")[2] for name, _ in before} >= set(FILES)
    assert not any("step-7" in named for _, named in before)
    assert (last, visible) == (str(folder), ["step-7"])


# Restoring.


def test_every_variable_gets_its_value_back(folder):
    write(folder, 7)
    restored = variables()
    restore_variables(newest_checkpoint(folder), restored)
    np.testing.assert_array_equal(restored.model["hidden/kernel"], np.full([4, 3], 7.0))
    assert [float(variable) for variable in restored.optimizer] == [7.0, 1.0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: variables(more=tf.Variable(0.0)), id="has more variables"),
        pytest.param(lambda: tf.train.Checkpoint(model={}), id="has fewer"),
        pytest.param(
            lambda: tf.train.Checkpoint(
                model={"hidden/kernel": tf.Variable(tf.zeros([5, 3]))},
                optimizer=[tf.Variable(0.0), tf.Variable(1)],
            ),
            id="has others in shape",
        ),
        pytest.param(
            lambda: tf.train.Checkpoint(
                model={"output/kernel": tf.Variable(tf.zeros([4, 3]))},
                optimizer=[tf.Variable(0.0), tf.Variable(1)],
            ),
            id="has others in name",
        ),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_on_one_line(folder, other):
    write(folder, 7)
    with pytest.raises(UserError) as error:
        restore_variables(newest_checkpoint(folder), other())
    assert str(error.value).startswith(f"{folder / 'step-7'} is of another model or optimizer (")
    assert "\n" not in str(error.value)


# Damage.


def flip(place):
    def damage(path):
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 1
        path.write_bytes(content)

    return damage


DAMAGES = {
    "its first byte flipped": flip(0),
    "a byte in its middle flipped": flip(0.5),
    "its last byte flipped": flip(1),
    "its last byte cut off": lambda path: os.truncate(path, path.stat().st_size - 1),
    "emptied": lambda path: os.truncate(path, 0),
    "removed": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
EVERY_DAMAGE = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@EVERY_DAMAGE
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_one_is_skipped_with_a_line_and_the_one_before_is_used(
    folder, name, damage, caplog
):
    write(folder, 7, 14)
    assert set(FILES) == set(names(folder / "step-14"))
    damage(folder / "step-14" / name)
    assert newest_checkpoint(folder).path == folder / "step-7"
    [line] = caplog.messages
    assert line.startswith(str(folder / "step-14"))
    assert name in line or name == "checksums.json"
    assert "damaged" in line
    assert line.endswith("; the checkpoint before it is used")


def test_one_with_a_file_too_many_is_skipped(folder, caplog):
    write(folder, 7, 14)
    (folder / "step-14" / "variables.data-00001-of-00002").write_text("whose?")
    assert newest_checkpoint(folder).path == folder / "step-7"
    assert (
        f"{folder / 'step-14' / 'variables.data-00001-of-00002'} is damaged" in caplog.messages[0]
    )


def test_an_empty_folder_is_skipped(folder, caplog):
    write(folder, 7)
    (folder / "step-14").mkdir()
    assert newest_checkpoint(folder).path == folder / "step-7"
    assert len(caplog.messages) == 1


@EVERY_DAMAGE
def test_where_all_are_damaged_it_is_an_error_and_nothing_changes(folder, damage, caplog):
    write(folder, 7, 14)
    for step in ("step-7", "step-14"):
        damage(folder / step / "training.json")
    before = everything(folder)
    with pytest.raises(UserError, match="none of its 2 checkpoints is whole") as error:
        newest_checkpoint(folder)
    assert str(error.value).startswith(str(folder))
    assert len(caplog.messages) == 2
    assert everything(folder) == before


@pytest.mark.parametrize("content", ["[]", "1", "null", '"text"', "{}", '{"training.json": 1}'])
def test_checksums_of_any_other_content_are_damage(folder, content, caplog):
    write(folder, 7, 14)
    (folder / "step-14" / "checksums.json").write_text(content)
    assert newest_checkpoint(folder).path == folder / "step-7"
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
@pytest.mark.parametrize("name", ["checksums.json", "training.json"])
def test_a_flip_at_any_byte_is_noticed_or_without_harm(folder, name, bit):
    """Only between the parts of JSON may a byte be another without another meaning."""
    write(folder, 7, 14)
    path = folder / "step-14" / name
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        found = newest_checkpoint(folder)
        if found.path.name == "step-14":
            assert json.loads(path.read_bytes()) == json.loads(whole)
            assert found.training == {"step": 14}


def test_what_is_written_after_damage_is_kept_however_many_are_damaged(folder):
    """Damaged ones of later steps do not count among the last three."""
    write(folder, 7)
    for step in (20, 21, 22):
        shutil.copytree(folder / "step-7", folder / f"step-{step}")
        (folder / f"step-{step}" / "training.json").unlink()
    write(folder, 8)
    assert newest_checkpoint(folder).path == folder / "step-8"
    assert {"step-7", "step-8"} <= set(names(folder))


# A disk that is full.


@contextlib.contextmanager
def no_file_longer_than(most):
    _, hard = soft_and_hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft_and_hard)


@contextlib.contextmanager
def nothing_flushed():
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        yield


@pytest.mark.parametrize("full_at", ["the variables", "the JSON", "flushing"])
def test_a_write_that_fails_midway_leaves_those_before_and_nothing_else(full_at, folder):
    write(folder, 7, 14)
    before = everything(folder)
    most = max(path.stat().st_size for path in (folder / "step-14").glob("variables.*"))
    full = {
        "the variables": no_file_longer_than(20),
        "the JSON": no_file_longer_than(most),
        "flushing": nothing_flushed(),
    }
    with pytest.raises(UserError) as error, full[full_at]:
        write_checkpoint(folder, 21, variables(21.0), {"step": 21, "history": "long " * 10_000})
    assert str(error.value).startswith(f"the checkpoint of step 21 cannot be written to {folder} (")
    assert "\n" not in str(error.value)
    assert everything(folder) == before
    assert names(folder) == ["step-14", "step-7"]


def test_a_folder_that_has_vanished_is_named(tmp_path):
    with pytest.raises(UserError, match=r"the checkpoint of step 7 cannot be written to .*gone"):
        write(tmp_path / "gone" / "checkpoints", 7)
