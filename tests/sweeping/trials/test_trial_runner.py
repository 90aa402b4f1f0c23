"""A trial ends as the same config does that is run alone, whatever ran in the process before."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import trainer
from trainer.setup.plugins import find_task
from trainer.sweeping.folder import SweepFolder, Trial
from trainer.sweeping.plan import Plan, SweepOptions
from trainer.sweeping.trials.trial_runner import TrialRunner

NUMBERS = itertools.count()

FIRST = {
    "a constant learning rate": {"learning_rate": 3e-2},
    "a schedule after a warm-up, with weight decay": {
        "learning_rate": 3e-2,
        "schedule": "cosine",
        "warmup": "10%",
        "weight_decay": 1e-2,
    },
    "momentum, smoothed labels and averaged weights": {
        "optimizer": "sgd",
        "momentum": 0.8,
        "label_smoothing": 0.07,
        "ema": 0.9,
    },
}
"""Options by what is shared in the program."""

SLOW = ("a constant learning rate",)

MORE = {
    "one cycle": {"schedule": "one-cycle", "learning_rate": 2e-2},
    "an exponential schedule with weight decay": {
        "schedule": "exponential",
        "weight_decay": 3e-3,
        "optimizer": "adamw",
    },
    "a piecewise schedule": {"schedule": "piecewise", "learning_rate": 1e-1},
    "a plateau": {"schedule": "plateau", "plateau_epochs": 1, "learning_rate": 0.3},
    "a warm-up alone, with weight decay": {"warmup": "1epochs", "weight_decay": 3e-3},
    "clipped gradients that are accumulated": {"clip_norm": 0.5, "accumulate": 2},
    "balanced classes and smoothed labels": {"class_weights": "balanced", "label_smoothing": 0.1},
    "balanced sampling and focal loss": {"sampling": "balanced", "loss": "focal"},
    "no compilation": {"jit": "off", "schedule": "cosine"},
    "momentum of another optimizer": {"optimizer": "rmsprop", "momentum": 0.5},
    "16 bits": {"precision": "mixed_bfloat16"},
}

OTHER_NUMBERS = {"seed": 5, "epochs": 4, "learning_rate": 7e-3}
"""Of the second trial of each kind, which takes the program of the first."""


def trial(**options):
    seed = options.pop("seed", 0)
    number = next(NUMBERS)
    return Trial(number, number, options, seed)


def run_alone(config, **options):
    task = find_task(options.pop("task", config.task))
    return trainer.train(task, dataclasses.replace(config, **options))


def assert_equal(result, run):
    assert result.status == "done", result
    assert result.weights_digest == run.result["weights_digest"]
    assert result.metrics == pytest.approx(run.metrics["validation"], abs=1e-6)
    assert result.best_step == run.result["best_step"]


def check_second_of_kind(runner, config, options):
    runner.run(trial(**options))
    built = runner.built
    options = options | OTHER_NUMBERS
    assert_equal(runner.run(trial(**options)), run_alone(config, **options))
    return runner.built - built


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, id=kind, marks=[pytest.mark.slow] if kind in SLOW else [])
        for kind, options in FIRST.items()
    ],
)
def test_a_trial_that_takes_the_program_of_another_equals_a_run_of_its_own(options, runner, config):
    assert check_second_of_kind(runner, config, options) == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", MORE.values(), ids=MORE)
def test_so_it_does_with_other_options(options, runner, config):
    check_second_of_kind(runner, config, options)


def test_a_trial_that_stops_early_ends_with_its_best_weights(runner, config):
    options = {"learning_rate": 0.5, "patience": 1, "epochs": 12}
    result = runner.run(trial(**options))
    assert result.stopped == "--patience 1"
    assert_equal(result, run_alone(config, **options))


def test_a_trial_repeats_after_others_to_the_bit(runner):
    first = runner.run(trial(learning_rate=2e-2, seed=3))
    runner.run(trial(learning_rate=9e-1, seed=4, epochs=5))
    again = runner.run(trial(learning_rate=2e-2, seed=3))
    assert (again.weights_digest, again.metrics) == (first.weights_digest, first.metrics)


@pytest.mark.slow
def test_another_batch_size_has_a_program_of_its_own_which_is_kept(runner):
    runner.run(trial(batch_size=16))
    built = runner.built
    runner.run(trial(batch_size=20))
    runner.run(trial(batch_size=16))
    assert runner.built == built + 1


def test_folds_with_as_many_batches_share_a_program(config, tmp_path):
    plan = Plan(config, SweepOptions(folds=5))
    runner = TrialRunner(plan, SweepFolder(tmp_path))
    results = [runner.run(trial) for trial in plan.trials(0, {})]
    assert [result.status for result in results] == ["done"] * 5
    assert len({result.weights_digest for result in results}) == 5
    assert runner.built == 1


@pytest.mark.slow
def test_a_trainer_that_reads_options_while_it_is_traced_has_a_graph_for_each(runner, config):
    options = {"trainer": "sweep_tasks:Halving", "learning_rate": 1e-2, "jit": "off"}
    runner.run(trial(**options))
    options["learning_rate"] = 1e-1
    assert_equal(runner.run(trial(**options)), run_alone(config, **options))


def test_a_head_with_numbers_of_its_own_seed_is_not_taken_for_another(config, tmp_path):
    noisy = dataclasses.replace(config, task="sweep_tasks:Noisy")
    runner = TrialRunner(Plan(noisy, SweepOptions()), SweepFolder(tmp_path))
    runner.run(trial(seed=0))
    assert_equal(runner.run(trial(seed=1)), run_alone(noisy, seed=1))


def test_a_trial_on_images_is_an_ordinary_run(config, noise_folder, tmp_path):
    options = find_task("sweep_tasks:Pixels").defaults
    pixels = dataclasses.replace(
        options, data=str(noise_folder), log_dir=config.log_dir, cache_dir=config.cache_dir
    )
    runner = TrialRunner(Plan(pixels, SweepOptions()), SweepFolder(tmp_path))
    one = trial(learning_rate=3e-2, seed=2)
    result = runner.run(one)
    assert_equal(result, run_alone(pixels, learning_rate=3e-2, seed=2))
    assert runner.train_best(one)["run"] == result.run


def test_a_trial_that_diverges_is_a_result(runner):
    result = runner.run(trial(learning_rate=1e30, optimizer="sgd"))
    assert result.status == "failed"
    assert "is nan" in result.error or "is inf" in result.error
    assert not result.traceback


def test_options_that_do_not_go_together_are_a_result(runner):
    result = runner.run(trial(momentum=0.9))
    assert (result.status, result.error[:10]) == ("failed", "--momentum")


def test_a_trial_after_one_that_diverged_is_not_touched_by_it(runner, config):
    runner.run(trial(learning_rate=1e30))
    assert_equal(runner.run(trial(seed=6)), run_alone(config, seed=6))


def test_a_pruned_trial_ends_after_the_epoch(runner):
    asked = []

    def ask(epoch, value):
        asked.append((epoch, value))
        return epoch == 2

    result = runner.run(trial(epochs=9), ask)
    assert (result.status, result.epochs, len(asked)) == ("pruned", 2, 2)


def test_the_best_trial_is_an_ordinary_run_with_the_metrics_of_the_trial(runner):
    one = trial(learning_rate=5e-2)
    result = runner.run(one)
    trained = runner.train_best(one)
    found = trainer.load(runner._folder.path / trained["run"])
    assert found.result["weights_digest"] == result.weights_digest
    assert found.metrics["validation"] == pytest.approx(result.metrics, abs=1e-6)
    assert runner.train_best(one) == trained  # nothing is done again


def test_folds_are_sampled_by_the_classes_of_their_own_rows(config, tmp_path):
    plan = Plan(dataclasses.replace(config, sampling="balanced"), SweepOptions(folds=5))
    runner = TrialRunner(plan, SweepFolder(tmp_path))
    result = runner.run(plan.trials(0, {})[0])
    assert result.status == "done"
    train = runner._trial_data(plan.config).batches(plan.config, fold=0)["train"]
    taken = np.bincount(train.labels, weights=train.epoch_counts(0, 0))
    assert taken.max() - taken.min() <= 1
