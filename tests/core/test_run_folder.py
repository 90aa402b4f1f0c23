"""The folder of one run: a place of its own, left only by runs that have learnt something."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainer import UserError
from trainer.core.errors import DivergedError
from trainer.core.run_folder import existing_run_folder, new_run_folder, temporary_run_folder

SECOND = "2030-01-02_03-04-05"


@pytest.fixture
def one_second(monkeypatch):
    """Time stands still."""
    monkeypatch.setattr(time, "strftime", lambda _: SECOND)


def make(log_dir):
    with new_run_folder(log_dir, "flowers") as folder:
        return folder.path


def test_a_run_lies_below_its_task(tmp_path):
    assert make(tmp_path / "logs").parent == tmp_path / "logs" / "flowers"


def test_a_run_is_called_by_the_time(tmp_path):
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", make(tmp_path).name)


def test_runs_of_one_second_are_counted(tmp_path, one_second):
    names = [make(tmp_path).name for _ in range(3)]
    assert names == [SECOND, f"{SECOND}-2", f"{SECOND}-3"]


def test_runs_that_start_at_once_have_a_folder_each(tmp_path, one_second):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(make, [tmp_path] * 8))
    assert len(set(folders)) == 8


def test_a_mistake_before_anything_is_learnt_leaves_no_folder(tmp_path):
    with pytest.raises(UserError), new_run_folder(tmp_path, "flowers") as folder:
        folder.config.touch()
        raise UserError("no data")
    assert not (tmp_path / "flowers").exists()


def test_a_mistake_leaves_the_other_runs_alone(tmp_path):
    other = make(tmp_path)
    with pytest.raises(UserError), new_run_folder(tmp_path, "flowers"):
        raise UserError("no data")
    assert other.is_dir()


def test_a_mistake_before_the_first_checkpoint_leaves_no_folder(tmp_path):
    with pytest.raises(UserError), new_run_folder(tmp_path, "flowers") as folder:
        folder.checkpoints.mkdir()
        raise UserError("an image has vanished")
    assert not folder.path.exists()


def test_a_mistake_after_a_checkpoint_leaves_what_was_learnt(tmp_path):
    with pytest.raises(UserError), new_run_folder(tmp_path, "flowers") as folder:
        (folder.checkpoints / "step-7").mkdir(parents=True)
        raise UserError("an image has vanished")
    assert folder.has_checkpoint


def test_training_that_left_the_numbers_leaves_its_curves(tmp_path):
    with pytest.raises(DivergedError), new_run_folder(tmp_path, "flowers") as folder:
        raise DivergedError("the loss is nan")
    assert folder.path.is_dir()


def test_a_bug_before_the_first_checkpoint_leaves_no_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), new_run_folder(tmp_path, "flowers") as folder:
        raise ZeroDivisionError
    assert not folder.path.exists()


@pytest.mark.parametrize("in_the_way", ["logs", "logs/flowers"])
def test_a_file_in_the_way_is_named(tmp_path, in_the_way):
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).touch()
    with pytest.raises(UserError) as error:
        make(tmp_path / "logs")
    assert str(error.value).startswith(f"--log-dir {tmp_path / 'logs'}: no run folder can be made")
    assert str(tmp_path / in_the_way) in str(error.value).partition("(")[2]


def test_a_temporary_folder_is_taken_away_with_all_that_is_in_it():
    with temporary_run_folder() as folder:
        folder.checkpoints.mkdir()
        folder.config.touch()
    assert not folder.path.exists()


# One process at a time.


def in_another_process(run):
    """Whether another process gets in."""
    program = f"""
from pathlib import Path
from trainer.core.errors import UserError
from trainer.core.run_folder import existing_run_folder
try:
    with existing_run_folder(Path({str(run)!r})):
        print("in")
except UserError as error:
    print(error)
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout


def test_a_new_run_keeps_other_processes_out(tmp_path, checkout, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    with new_run_folder(tmp_path, "flowers") as folder:
        assert in_another_process(folder.path) == (
            f"{folder.path}: another process runs in it; wait for its end, or start a new run\n"
        )
    assert in_another_process(folder.path) == "in\n"


def test_a_run_that_goes_on_keeps_others_out(tmp_path):
    run = make(tmp_path)
    with existing_run_folder(run) as folder:
        assert folder.path == run
        with (
            pytest.raises(UserError, match="another process runs in it"),
            existing_run_folder(run),
        ):
            pass
    with existing_run_folder(run):
        pass


def test_a_mistake_in_a_run_that_goes_on_takes_nothing_away(tmp_path):
    run = make(tmp_path)
    with pytest.raises(UserError), existing_run_folder(run) as folder:
        folder.config.touch()
        raise UserError("no data")
    assert folder.config.is_file()
