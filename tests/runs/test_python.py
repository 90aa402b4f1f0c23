"""Runs in Python: `trainer.train` and `trainer.load`."""

import asyncio
import json
import logging
import shutil
import sys

import numpy as np
import pytest

import trainer
from tests.conftest import points_of
from trainer import Config, EverySteps, Hook, ImageClassification, Trainer, UserError
from trainer.setup.plugins import find_task


@pytest.fixture(scope="module")
def small(noise_folder, vector_module):
    """Two epochs of six steps on noise."""
    data = {"data": str(noise_folder), "extractor": str(vector_module)}
    return {**data, "epochs": 2, "batch_size": 16, "jit": "off"}


@pytest.fixture
def options(small, tmp_path):
    """In folders of the test."""
    places = {"log_dir": tmp_path / "logs", "cache_dir": tmp_path / "cache"}
    return {**small, **places, "report": False}


@pytest.fixture(scope="module")
def run(small, tmp_path_factory):
    """A finished run, which no test changes."""
    folder = tmp_path_factory.mktemp("run")
    folders = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
    return trainer.train(find_task("flowers"), Config(**small, **folders))


@pytest.fixture
def train(options):
    def train(task=None, hooks=(), trainer_class=None, **others):
        config = Config(**{**options, **others})
        return trainer.train(
            task or find_task("flowers"), config, hooks=hooks, trainer_class=trainer_class
        )

    return train


def test_a_run_has_its_metrics_history_folder_config_and_model(run):
    assert set(run.metrics) == {"train", "validation", "test"}
    assert run.result == json.loads((run.folder / "result.json").read_text())
    assert run.folder.parent == run.config.log_dir / "flowers"
    assert run.config.epochs == 2
    assert run.model(np.zeros([1, 4], np.float32)).shape == (1, 3)


def test_the_history_is_rows_without_pandas(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # cannot be imported
    history = run.history
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[-1]["step"] == 12


def test_the_history_is_a_frame_with_pandas(run, monkeypatch):
    class Pandas:
        DataFrame = tuple

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    assert isinstance(run.history, tuple)


def test_a_loaded_run_is_the_one_that_was_trained(run):
    loaded = trainer.load(run.folder)
    assert loaded.result == run.result
    assert list(loaded.history) == list(run.history)
    assert loaded.config == run.config
    for own, other in zip(run.model.weights, loaded.model.weights, strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize(
    "others",
    [{"extractor": "none"}, {"augment": "light"}],
    ids=["without an extractor", "with an extractor in the model"],
)
def test_the_model_of_a_loaded_run_may_take_images(train, others):
    run = train(Pixels(), image_size=8, epochs=1, **others)
    loaded = trainer.load(run.folder, Pixels())
    images = np.random.default_rng(0).random([2, 8, 8, 3], np.float32)
    np.testing.assert_array_equal(run.model(images), loaded.model(images))


class Pixels(ImageClassification):
    """A head for images and for features."""

    def head(self, classes):
        import keras

        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])


def test_a_folder_without_a_result_is_no_finished_run(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    with pytest.raises(UserError, match=r"result\.json cannot be read .* when it is finished"):
        trainer.load(tmp_path / "run")


def test_two_runs_of_one_process_end_with_the_same_bits(run, train):
    assert train().result["weights_digest"] == run.result["weights_digest"]


def test_a_run_works_within_an_event_loop(train):
    async def in_a_notebook():
        return train()

    assert asyncio.run(in_a_notebook()).metrics


def test_a_run_prints_nothing_and_logs_what_a_person_should_know(train, capfd, caplog):
    with caplog.at_level(logging.INFO, "trainer"):
        train()
    assert capfd.readouterr() == ("", "")
    assert any(message.startswith("epoch 2/2  step 12  train loss") for message in caplog.messages)


def test_without_a_config_a_task_has_its_own_defaults(options):
    class Quick(Pixels):
        defaults = Config(**options)

    assert trainer.train(Quick()).config.batch_size == 16


def test_a_trainer_of_ones_own_is_recorded_in_the_config(train):
    run = train(trainer_class=Doubling)
    assert run.config.trainer == f"{__name__}:Doubling"


class Doubling(Trainer):
    """Twice the loss."""

    def compute_loss(self, *arguments, **options):
        return 2 * super().compute_loss(*arguments, **options)


# Hooks.


class Count(Hook):
    """Counts its calls, writes the count to TensorBoard, and keeps it in the checkpoint."""

    when = EverySteps(3)

    def __init__(self):
        self.calls = 0

    def on_steps_end(self, trainer, output):
        self.calls += 1
        trainer.write_scalars({"calls": self.calls})

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


class KilledError(Exception):
    """Stands for SIGKILL."""


class Kill(Hook):
    """Kills in the second epoch."""

    when = EverySteps(8)

    def on_steps_end(self, trainer, output):
        raise KilledError


def curve(folder, tag):
    return {step: value for (_, name, step), value in points_of(folder).items() if name == tag}


def test_a_hook_of_ones_own_is_called_and_writes_scalars(train):
    hook = Count()
    run = train(hooks=[hook])
    assert hook.calls == 4
    assert curve(run.folder, "calls") == {3: 1, 6: 2, 9: 3, 12: 4}


def test_killed_and_resumed_a_run_with_a_hook_ends_as_without_the_kill(train, tmp_path):
    whole = train(hooks=[Count()], checkpoint_every="1steps")
    with pytest.raises(KilledError):
        train(hooks=[Count(), Kill()], checkpoint_every="1steps")
    [killed] = set((tmp_path / "logs" / "flowers").iterdir()) - {whole.folder}
    hook = Count()
    resumed = train(hooks=[hook], checkpoint_every="1steps", resume=killed)
    assert hook.calls == 4
    assert resumed.result["weights_digest"] == whole.result["weights_digest"]
    assert curve(resumed.folder, "calls") == curve(whole.folder, "calls")


# Resuming.


def test_a_finished_run_that_is_resumed_is_loaded(run, train):
    assert train(resume=run.folder).result == run.result


def test_options_that_contradict_those_of_the_run_to_resume_are_refused(run, train):
    with pytest.raises(UserError, match="--seed 1: the run to resume has 0; omit it"):
        train(resume=run.folder, seed=1)
