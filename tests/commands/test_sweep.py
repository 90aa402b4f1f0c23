"""`python -m trainer.sweep`: the real command and its processes, on arrays that take no time."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import trainer
from trainer import command_line, evaluate, sweep
from trainer.core.locks import locked
from trainer.core.signals import Interrupted

BLOBS = ("--task", "sweep_tasks:Blobs", "--jit", "off")


@pytest.fixture(scope="module")
def swept(task_folder, tmp_path_factory):
    """A grid of a learning rate that diverges and one that learns, of two seeds, with a hook that
    fails with seed 2 of them."""
    logs = tmp_path_factory.mktemp("swept")
    options = [*BLOBS, "--grid", "learning_rate=1e-2,1e30", "--seeds", 2, "--seed", 1]
    options += ["--hook", "sweep_tasks:FailAtTwo", "--run-name", "grid", "--log-dir", logs]
    assert main(*options) == 2  # no point has two seeds that both ended well
    assert main(*BLOBS, "--grid", "learning_rate=1e-2,1e30,3e-2", "--log-dir", logs) == 0
    [found] = logs.glob("blobs/sweep_*")
    return logs / "blobs" / "grid", found


def main(*options):
    return command_line.exit_code(sweep.main, list(map(str, options)))


def rows(folder):
    with (folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_trial_has_a_row_whatever_became_of_it(swept):
    failing, _ = swept
    found = {(row["learning_rate"], row["seed"]): row for row in rows(failing)}
    assert found["0.01", "1"]["status"] == "done"
    assert "the second epoch is too much" in found["0.01", "2"]["error"]
    assert {found["1e+30", seed]["status"] for seed in "12"} == {"failed"}


def test_the_best_trial_is_a_run_folder_with_its_metrics(swept, capsys):
    _, folder = swept
    best = trainer.load(folder / "best")
    result = json.loads((folder / "result.json").read_text())
    [row] = [row for row in rows(folder) if row["trial"] == str(result["best"]["trial"])]
    assert best.metrics["validation"]["accuracy"] == float(row["validation_accuracy"])
    assert best.config.learning_rate == float(row["learning_rate"])
    assert best.metrics["test"] == result["metrics"]["test"]
    assert command_line.exit_code(evaluate.main, [str(folder / "best")]) == 0


def test_tensorboard_has_the_options_and_the_curves_of_every_trial(swept):
    _, folder = swept
    for number in ("0000", "0002"):
        assert list((folder / "trials" / number).glob("events.*"))
        assert list((folder / "trials" / number / "validation").glob("events.*"))


def test_a_sweep_that_is_resumed_runs_what_is_missing_alone(swept, capsys):
    _, folder = swept
    before = {path: path.read_bytes() for path in folder.glob("trials/*/result.json")}
    removed = folder / "trials" / "0002" / "result.json"
    removed.unlink()
    assert main("--resume", folder) == 0
    after = {path: path.read_bytes() for path in folder.glob("trials/*/result.json")}
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} <= {removed}
    digests = [json.loads(content[removed])["weights_digest"] for content in (before, after)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "there is nothing to sweep"),
        (("--grid", "learning_rat=1,2"), "did you mean learning_rate?"),
        (("--grid", "learning_rate=-1"), "--learning-rate must be at least 0"),
        (("--grid", "epochs=1", "--grid", "epochs=2"), "epochs is swept twice"),
        (("--grid", "seed=1,2", "--seeds", "2"), "--seeds and seed"),
        (("--range", "learning_rate=1e-4:1"), "add --random N, or --search tpe --trials N"),
        (("--search", "tpe", "--range", "learning_rate=1e-4:1"), "--trials 50"),
        (("--trials", "3", "--grid", "epochs=1"), "--trials is of --search tpe"),
        (("--prune", "--grid", "epochs=1"), "--prune is of --search tpe"),
        (("--find-learning-rate", "--grid", "epochs=1"), "a test of its own"),
        (("--resume", "nowhere"), "there is no sweep"),
        (("--dry-run", "--grid", "epochs=1"), "--dry-run"),
        (("--folds", "40"), "--folds 40: there are only"),
        (("--data", "nowhere", "--grid", "epochs=1"), "--data"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_starts(
    options, words, task_folder, tmp_path, capfd
):
    assert main(*BLOBS, "--log-dir", tmp_path / "logs", *options) == 2
    error = capfd.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
    assert not list(tmp_path.glob("logs/*/*"))


def test_a_sweep_that_is_resumed_takes_no_other_grid(swept, capfd):
    _, folder = swept
    assert main("--resume", folder, "--grid", "epochs=1") == 2
    assert "--grid: a sweep that is resumed has its own options" in capfd.readouterr().err


def test_a_sweep_that_another_process_runs_is_refused(swept, capfd):
    _, folder = swept
    with locked(folder / ".lock"):
        assert main("--resume", folder) == 2
    assert "another process runs this sweep" in capfd.readouterr().err


def start(folder, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "trainer.sweep", *map(str, options)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    )


def wait_for_trials(folder, count, process):
    deadline = time.monotonic() + 120
    while len(list(folder.glob("trials/*/result.json"))) < count:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kept_results(folder):
    return {path: path.read_bytes() for path in folder.glob("trials/*/result.json")}


@pytest.mark.slow
def test_ctrl_c_says_how_to_resume(task_folder, tmp_path):
    options = [*BLOBS, "--grid", "learning_rate=1e-2", "--seeds", 500, "--run-name", "long"]
    process = start(tmp_path, *options)
    folder = tmp_path / "logs" / "blobs" / "long"
    wait_for_trials(folder, 2, process)
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == Interrupted(signal.SIGINT).exit_code
    assert (
        f"resume with: python -m trainer.sweep --resume {folder.relative_to(tmp_path)}" in printed
    )


@pytest.mark.slow
def test_a_search_that_is_killed_and_resumed_keeps_every_finished_trial(task_folder, tmp_path):
    options = [*BLOBS, "--range", "learning_rate=1e-4:1e-1:log", "--grid", "optimizer=adam,sgd"]
    options += ["--search", "tpe", "--trials", 30, "--prune", "--run-name", "search"]
    process = start(tmp_path, *options)
    folder = tmp_path / "logs" / "blobs" / "search"
    kept = {}
    for count in (5, 14, 22):
        wait_for_trials(folder, count, process)
        process.kill()
        process.wait()
        time.sleep(2)  # its processes end when they find nobody to talk to
        kept |= kept_results(folder)
        process = start(tmp_path, "--resume", folder)
    printed = process.communicate(timeout=300)[0]
    assert process.returncode == 0, printed
    results = kept_results(folder)
    assert len(results) == len(rows(folder)) == 30
    assert {path: results[path] for path in kept} == kept


@pytest.mark.slow
def test_two_processes_share_one_search(task_folder, tmp_path):
    options = [*BLOBS, "--range", "learning_rate=1e-4:1e-1:log", "--search", "tpe"]
    first = start(tmp_path, *options, "--trials", 24, "--run-name", "shared")
    folder = tmp_path / "logs" / "blobs" / "shared"
    wait_for_trials(folder, 1, first)
    second = start(tmp_path, "--resume", folder)
    for process in (first, second):
        printed = process.communicate(timeout=300)[0]
        assert process.returncode == 0, printed
    assert len(rows(folder)) == 24
