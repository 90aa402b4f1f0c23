"""Files of the user's in the current folder: they break no command that does not name them."""

import pytest

NAMES = ["tasks", "config", "hooks", "features", "data", "core", "runs", "loop", "report"]


@pytest.fixture
def broken_files(tmp_path):
    """A module of each name in the current folder, which cannot be imported."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not for the command')")


@pytest.mark.slow
def test_a_folder_of_tasks_disturbs_no_built_in_task(python, tmp_path, vector_module):
    """test_end_to_end.py has a file of tasks in its current folder."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise RuntimeError('not for the command')")
    folders = ["--log-dir", str(tmp_path / "logs"), "--cache-dir", str(tmp_path / "cache")]
    small = ["--data", "sample", "--sample-examples", "25", "--extractor", str(vector_module)]
    done = python("-m", "trainer.run", "--task", "flowers", *small, "--dry-run", *folders)
    assert (done.code, done.err) == (0, "")


def test_a_file_called_tasks_disturbs_no_list_of_tasks(python, broken_files):
    done = python("-m", "trainer.tasks")
    assert (done.code, done.err) == (0, "")
    assert "flowers" in done.out


def test_modules_of_any_of_our_names_disturb_no_help(python, broken_files):
    done = python("-m", "trainer.run", "--task", "digits01", "--help")
    assert (done.code, done.err) == (0, "")
    assert "--epochs" in done.out
