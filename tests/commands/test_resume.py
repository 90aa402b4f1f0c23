"""`--resume`: which run is resumed, with which options, and how it ends."""

import json
import shlex
import shutil
import signal
from pathlib import Path

import filelock
import pytest

from trainer import Config, UserError, command_line, run
from trainer.setup.resume import (
    RESUMABLE_OPTIONS,
    check_same_options,
    find_run,
    finished_message,
    resume_command,
    saved_config,
)

# Which run.


@pytest.fixture
def begun(tmp_path):
    """Makes the folder of a run that has begun, with the options given."""

    def begin(name="flowers/2030-01-02_03-04-05", **options):
        folder = tmp_path / "logs" / name
        folder.mkdir(parents=True)
        config = Config(log_dir=tmp_path / "logs", **options)
        (folder / "config.json").write_text(json.dumps(config.as_json()))
        return folder

    return begin


def last_of(tmp_path, task=None):
    return find_run("last", tmp_path / "logs", task).name


def test_a_run_is_named_by_its_folder(begun, tmp_path):
    folder = begun()
    assert find_run(str(folder), tmp_path / "elsewhere", None) == folder


def test_the_last_is_that_which_was_started_last(begun, tmp_path):
    for name in ("2030-01-02_03-04-05", "2030-01-10_00-00-00", "2029-12-31_23-59-59"):
        begun(f"flowers/{name}")
    assert last_of(tmp_path) == "2030-01-10_00-00-00"


def test_of_runs_of_one_second_the_last_is_that_with_the_greatest_number(begun, tmp_path):
    second = "2030-01-02_03-04-05"
    for name in (f"{second}-10", second, f"{second}-9", f"{second}-2"):
        begun(f"flowers/{name}")
    assert last_of(tmp_path) == f"{second}-10"


def test_the_last_of_a_task_is_looked_for_among_its_own(begun, tmp_path):
    begun("flowers/2030-01-02_03-04-05")
    begun("dogs/2030-01-03_03-04-05")
    assert last_of(tmp_path) == "2030-01-03_03-04-05"
    assert last_of(tmp_path, "flowers") == "2030-01-02_03-04-05"


def test_a_folder_without_a_config_is_no_run(begun, tmp_path):
    begun()
    (tmp_path / "logs" / "flowers" / "2031-01-01_00-00-00").mkdir()
    assert last_of(tmp_path) == "2030-01-02_03-04-05"


@pytest.mark.parametrize("task", [None, "dogs"])
def test_where_there_is_no_run_none_is_the_last(begun, tmp_path, task):
    if task:
        begun("flowers/2030-01-02_03-04-05")
    with pytest.raises(
        UserError, match=f"--resume last: there is no run.* in --log-dir {tmp_path}"
    ):
        last_of(tmp_path, task)


@pytest.mark.parametrize("asked", ["gone", "", ".", "logs"])
def test_a_folder_that_is_no_runs_is_refused(asked, tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^--resume {asked}: there is no run"):
        command_line.parse("run", ["--resume", asked])


def test_a_value_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="Missing value for argument '--resume'"):
        command_line.parse("run", ["--resume"])


# With which options.


def resumed(folder, *options):
    return command_line.parse("run", ["--resume", str(folder), *options])[:2]


def test_what_is_not_given_is_the_runs_own(begun):
    folder = begun(learning_rate=0.5, stop_at=("loss<0.1",), seed=7, cache_dir=Path("cache"))
    task, config = resumed(folder)
    assert task.name == "flowers"
    assert (config.learning_rate, config.stop_at, config.seed) == (0.5, ("loss<0.1",), 7)
    assert (config.cache_dir, config.resume) == (Path("cache"), folder)


def test_the_task_is_the_runs_own(begun):
    task, config = resumed(begun("dogs/2030-01-02_03-04-05", task="dogs"))
    assert (task.name, config.task) == ("dogs", "dogs")


def test_every_option_of_a_run_is_kept(begun):
    folder = begun(data_dir=Path("a b"), stop_at=("loss<1",), clip_norm=1.0, flip="both")
    assert saved_config(folder) == Config(
        log_dir=folder.parents[1],
        data_dir=Path("a b"),
        stop_at=("loss<1",),
        clip_norm=1.0,
        flip="both",
    )


@pytest.mark.parametrize(
    "options",
    [
        "--learning-rate 0.5",
        "--seed 1",
        "--batch-size 31",
        "--optimizer sgd",
        "--data sample",
        "--task dogs",
        "--jit on",
        "--dry-run",
        "--validation-steps 1",
        "--init-from elsewhere",
        "--trainer module:Class",
    ],
)
def test_an_option_that_contradicts_the_runs_own_is_refused(begun, options):
    name = options.partition(" ")[0]
    with pytest.raises(UserError, match=f"^{name} .*: the run to resume has .*start a new run"):
        resumed(begun(), *options.split())


@pytest.mark.parametrize(
    "options",
    [
        "--epochs 99",
        "--stop-at loss<1",
        "--patience 3",
        "--max-minutes 5",
        "--log-every 3",
        "--checkpoint-every 2epochs",
        "--cache-dir elsewhere",
        "--data-dir elsewhere",
        "--feature-memory 1",
        "--summary",
    ],
)
def test_an_option_that_changes_no_step_may_be_another(begun, options):
    name = options.partition(" ")[0].removeprefix("--").replace("-", "_")
    assert name in RESUMABLE_OPTIONS
    assert getattr(resumed(begun(), *options.split())[1], name) != getattr(Config(), name)


def test_what_is_given_as_it_was_is_no_contradiction(begun):
    assert resumed(begun(learning_rate=0.5), "--learning-rate", "0.5", "--task", "flowers")


def test_to_be_resumed_is_no_option_of_the_run_itself():
    assert "resume" not in Config(resume=Path("logs/a/b")).as_json()
    check_same_options(Config(), Config(resume=Path("logs/a/b")))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("\xff", "cannot be read"),
        ('{"epochs": "many"}', "cannot be read"),
        ('{"epochs": 0}', "--epochs must be at least 1"),
        ('{"no_such_option": 1}', "there is no option 'no_such_option'"),
    ],
)
def test_a_damaged_config_is_refused_on_one_line(begun, content, told):
    folder = begun()
    (folder / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError) as error:
        resumed(folder)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


# Whether anything is left to do.


def ended(folder, **result):
    config = json.loads((folder / "config.json").read_text())
    (folder / "result.json").write_text(json.dumps({"config": config, "epochs": 10, **result}))


def test_a_run_without_a_result_has_something_left_to_do(begun):
    folder = begun()
    assert finished_message(folder, saved_config(folder)) is None


@pytest.mark.parametrize("result", ["", "{}", "[]", '{"config": {}}', "null"])
def test_a_result_that_cannot_be_read_is_none(begun, result):
    folder = begun()
    (folder / "result.json").write_text(result)
    assert finished_message(folder, saved_config(folder)) is None


@pytest.mark.parametrize(
    ("stopped", "why"),
    [(None, "all 10 epochs"), ("--patience 3", "stopped by --patience 3 in epoch 10")],
)
def test_a_finished_run_is_told_in_a_line(begun, stopped, why):
    folder = begun()
    ended(folder, stopped=stopped)
    assert finished_message(folder, saved_config(folder)) == (
        f"{folder} is finished: {why}; to continue, choose more --epochs or another condition"
    )


def test_with_another_rule_to_stop_by_a_run_is_not_finished(begun):
    folder = begun()
    ended(folder, stopped=None)
    _, config = resumed(folder, "--epochs", "20")
    assert finished_message(folder, config) is None


@pytest.mark.parametrize("name", ["logs/a/b", "my logs/a/b", "logs/$HOME/`b`", "logs/'a'/b"])
def test_what_to_type_is_quoted_for_a_shell(name):
    words = shlex.split(resume_command(Path(name), Config()))
    assert words == ["python", "-m", "trainer.run", "--resume", name]


# To what end.


TRAINER = """
import os
import signal

from trainer import Trainer


class Asked(Trainer):
    def evaluate(self, split, use_ema=True):
        if os.environ.get("ASK_IN") == split:
            del os.environ["ASK_IN"]
            signal.raise_signal(signal.SIGTERM)
        return super().evaluate(split, use_ema)
"""


@pytest.fixture(scope="module")
def finishes(noise_folder, vector_module, tmp_path_factory):
    """Runs so many epochs of six steps to their end; gives the folder of the run."""

    def finish(epochs):
        logs = tmp_path_factory.mktemp("logs")
        options = ["--data", noise_folder, "--extractor", vector_module, "--log-dir", logs]
        options += ["--cache-dir", logs, "--epochs", epochs, "--batch-size", 16, "--jit", "off"]
        options += ["--no-report"]
        assert command_line.exit_code(run.main, list(map(str, options))) == 0
        [folder] = logs.glob("flowers/*")
        return folder

    return finish


@pytest.fixture(scope="module")
def two_epochs(finishes, noisy_imports):
    return finishes(2)


@pytest.fixture
def finished(two_epochs, tmp_path):
    """A run of two epochs that is finished, another for each test."""
    return shutil.copytree(two_epochs, tmp_path / "logs" / "flowers" / two_epochs.name)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_resuming_a_finished_run_says_so_and_writes_nothing(run_command, finished):
    before = contents(finished)
    done = run_command("--resume", "last")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"{finished} is finished: all 2 epochs; to continue, choose more --epochs or another"
        " condition\n"
    )
    assert contents(finished) == before


def test_with_more_epochs_it_goes_on_to_what_as_many_from_the_start_come_to(
    run_command, finished, finishes, came_to
):
    done = run_command("--resume", finished, "--epochs", 3)
    assert (done.code, done.err) == (0, "")
    assert f"resuming from {finished / 'checkpoints' / 'step-12'}\n" in done.out
    assert came_to(finished) == came_to(finishes(3))


def test_fewer_epochs_than_it_has_had_are_refused_and_nothing_changes(run_command, finished):
    before = contents(finished)
    done = run_command("--resume", finished, "--epochs", 1)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: --epochs 1: the run is in epoch 2 already")
    assert contents(finished) == before


def test_a_run_that_another_process_is_in_is_refused(run_command, finished):
    with filelock.FileLock(finished / ".lock"):
        done = run_command("--resume", finished, "--epochs", 3)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {finished}: another process runs in it")


def test_a_run_whose_checkpoints_are_all_damaged_is_refused_and_nothing_changes(
    run_command, finished
):
    for path in finished.glob("checkpoints/*/training.json"):
        path.write_bytes(b"")
    before = contents(finished)
    done = run_command("--resume", finished, "--epochs", 3)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "checkpoints is whole" in done.err
    assert contents(finished) == before


def test_asked_to_end_in_the_test_it_tells_what_to_type_and_then_tests_anew(
    run_command, user_module, monkeypatch, noise_folder, vector_module, tmp_path, came_to
):
    user_module("my_trainers", TRAINER)
    monkeypatch.setenv("ASK_IN", "test")
    options = ["--data", noise_folder, "--extractor", vector_module, "--batch-size", 16]
    options += ["--trainer", "my_trainers:Asked", "--epochs", 1, "--jit", "off"]
    asked = run_command(*options)
    [folder] = tmp_path.glob("logs/flowers/*")
    assert asked.code == 128 + signal.SIGTERM
    assert asked.err == f"stopped by SIGTERM; resume with: {resume_command(folder, Config())}\n"
    assert run_command(*shlex.split(asked.err)[-2:]).code == 0
    assert run_command(*options, "--log-dir", tmp_path / "whole").code == 0
    [whole] = tmp_path.glob("whole/flowers/*")
    assert came_to(folder) == came_to(whole)
