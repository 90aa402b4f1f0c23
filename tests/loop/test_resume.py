"""A training that is killed anywhere and resumed has the same bits: weights, history, curves."""

import dataclasses
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import points_of
from tests.training import CLASSES, ENVIRONMENT, SIZES, Tiny, features
from trainer import Config, Hook, ImageClassification, Trainer
from trainer.checkpoints.checkpointer import make_checkpointer
from trainer.checkpoints.store import newest_checkpoint
from trainer.checkpoints.training_state import TrainingState
from trainer.core import signals
from trainer.core.progress import ignore_progress
from trainer.core.run_folder import RunFolder
from trainer.data.pipeline.augmentation import PRESETS
from trainer.data.pipeline.mixup import Mixing
from trainer.data.splits import Split
from trainer.features.features import StoredFeatures
from trainer.hooks.standard import standard_hooks
from trainer.loop.array_batches import FeatureBatches, StreamedFeatureBatches
from trainer.loop.batches import ImageBatches
from trainer.loop.history import best_record
from trainer.loop.triggers import EverySteps
from trainer.report.clock import Clock
from trainer.report.summaries import Summaries

BATCH = 8


class Network(ImageClassification):
    """A head with batch norm and dropout, which have state beside the weights."""

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Flatten(),
                layers.BatchNormalization(),
                layers.Dropout(0.25),
                layers.Dense(classes),
            ]
        )


def pictures(split):
    """As many as there are features, of noise."""
    pixels = np.random.default_rng(1).integers(0, 256, [SIZES[split], 4, 4, 3], np.uint8)
    images = [tf.io.encode_png(picture).numpy() for picture in pixels]
    references = tf.data.Dataset.from_tensor_slices((images, features(split).labels))
    return Split(split, SIZES[split], "", lambda: references, tf.identity, SIZES[split], str)


def image_batches(split):
    if split != "train":
        return ImageBatches(pictures(split), 4, BATCH, seed=0)
    augmentation, mixing = PRESETS["strong"], Mixing(classes=3, mixup=0.4, cutmix=1.0)
    return ImageBatches(pictures(split), 4, BATCH, 0, augmentation, mixing)


class AskingBatches(FeatureBatches):
    """Sends a signal after each call of an evaluation, if `asks` is set."""

    asks = False

    def examples_in(self, first, steps):
        if self.asks:
            signal.raise_signal(signal.SIGTERM)
        return super().examples_in(first, steps)


def feature_batches(split):
    """Validation is mislabelled, so that its first epoch is the best."""
    kept = features(split)
    if split == "validation":
        kept = dataclasses.replace(kept, labels=(kept.labels + 1) % CLASSES)
    return AskingBatches(kept, BATCH, seed=0)


def balanced(batches):
    batches.balanced = True
    return batches


KINDS = {
    "features": feature_batches,
    "streamed features": lambda split: StreamedFeatureBatches(
        StoredFeatures([features(split)]), BATCH, seed=0
    ),
    "augmented and mixed images": image_batches,
    "balanced features": lambda split: balanced(feature_batches(split)),
    "balanced images": lambda split: balanced(image_batches(split)),
}
SLOW = ("balanced images",)


def new_trainer(kind="features", task=None, **options):
    """Two epochs of seven steps."""
    own = {"epochs": 2, "batch_size": BATCH, "learning_rate": 0.01, "log_every": 2, "jit": "off"}
    config = Config(**{**own, "checkpoint_every": "3steps", **options})
    batches = {split: KINDS[kind](split) for split in SIZES}
    return Trainer(task or Network(), config, ["a", "b", "c"], batches)


def resume(trainer, path, between=()):
    """Train from the newest checkpoint of a run to the end, with hooks behind each of its own."""
    folder, clock = RunFolder(path), Clock()
    path.mkdir(exist_ok=True)
    trainer.summaries = Summaries(path)
    state = TrainingState(trainer, folder, clock, ENVIRONMENT)
    own = standard_hooks(trainer, state.best, folder, trainer.summaries, clock, ignore_progress)
    state.hooks = [hook for each in own for hook in (each, *between)]
    checkpoint = newest_checkpoint(folder.checkpoints)
    if checkpoint is not None:
        state.restore(checkpoint)
    state.truncate_events(checkpoint)
    with signals.handle_signals():
        try:
            with signals.defer_signals():
                trainer.fit(state.hooks, make_checkpointer(state, trainer))
        except signals.Interrupted:
            state.save()
            raise
    return trainer, state


def outcome(trainer, state, path):
    """Everything that must be the same: weights as bytes, because no NaN equals another."""
    variables = [*trainer.model.variables, *trainer.optimizer.variables]
    variables += state.best.variables.values()
    return {
        "variables": [variable.numpy().tobytes() for variable in variables],
        "history": trainer.history,
        "history.csv": (path / "history.csv").read_text(),
        "points": points_of(path),
        "stopped": trainer.stopped,
    }


class KilledError(Exception):
    """Stands for SIGKILL: nothing after it runs."""


class Kill(Hook):
    """Kills at a step."""

    def __init__(self, step):
        self.when = EverySteps(step)

    def on_steps_end(self, trainer, output):
        if trainer.step == self.when.steps:
            raise KilledError


class CopyTheRun(Hook):
    """Copies the run whenever one of its files has changed: what a process killed here leaves."""

    def __init__(self, run, copies):
        self.run, self.copies, self._last, self.steps = run, copies, None, []

    def on_steps_end(self, trainer, output):
        self._copy(trainer.step)

    def on_epoch_end(self, trainer, record):
        self._copy(trainer.step)

    def _copy(self, step):
        if not (self.run / "checkpoints").is_dir():
            return
        now = sorted((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in self.run.rglob("*"))
        if now != self._last:
            shutil.copytree(self.run, self.copies / f"{len(self.steps):03}")
            self.steps.append(step)
        self._last = now


class EveryStep(Hook):
    """Has every call end after one step."""

    when = EverySteps(1)


def whole(trainer, path, between=()):
    """The outcome of a training that nothing interrupts; its trainer may be used again."""
    return outcome(*resume(trainer, path, between), path)


# Killed anywhere.


def test_killed_at_any_step_and_between_any_hooks_it_ends_with_the_same_bits(tmp_path):
    """One trainer resumes all of them, so that each finds another state to restore."""
    trainer = new_trainer(task=Tiny(), log_every=1, schedule="cosine", accumulate=2)
    copy = CopyTheRun(tmp_path / "whole", tmp_path / "killed")
    expected = whole(trainer, tmp_path / "whole", between=[copy, EveryStep()])
    assert set(copy.steps) == set(range(4, 15))  # the first checkpoint is that of step 3
    for run in sorted((tmp_path / "killed").iterdir()):
        assert outcome(*resume(trainer, run), run) == expected


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else []) for kind in KINDS]
)
def test_killed_twice_in_an_epoch_it_ends_with_the_same_bits_over_every_kind_of_batches(
    kind, tmp_path
):
    one, other = new_trainer(kind, ema=0.9), new_trainer(kind, ema=0.9)
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "killed"
    for trainer, step in ((other, 4), (one, 8)):
        with pytest.raises(KilledError):
            resume(trainer, run, between=[Kill(step)])
    assert outcome(*resume(other, run), run) == expected


def test_killed_between_two_reductions_of_the_learning_rate_it_ends_with_the_same_bits(tmp_path):
    options = {"schedule": "plateau", "plateau_epochs": 1, "epochs": 3}
    one, other = (new_trainer(task=Tiny(), **options) for _ in range(2))
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "killed"
    assert len({record.learning_rate for record in one.history}) == 2  # the first epoch is the best
    with pytest.raises(KilledError):
        resume(other, run, between=[Kill(17)])
    assert outcome(*resume(other, run), run) == expected


def test_killed_before_its_first_checkpoint_it_starts_again(tmp_path):
    one, other, third = (new_trainer(log_every=1) for _ in range(3))
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "killed"
    with pytest.raises(KilledError):
        resume(other, run, between=[EveryStep(), Kill(2)])
    assert list(run.glob("train/events.*"))
    assert outcome(*resume(third, run), run) == expected


def test_with_a_damaged_checkpoint_it_resumes_from_the_one_before(tmp_path):
    one, other = new_trainer(), new_trainer()
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "killed"
    with pytest.raises(KilledError):
        resume(other, run, between=[Kill(8)])
    (run / "checkpoints" / "step-6" / "training.json").write_bytes(b"")
    assert outcome(*resume(one, run), run) == expected


# Ended by a signal.


class Ask(Hook):
    """Sends a signal at a step, once: a second one would end the process."""

    def __init__(self, step):
        self.when, self._step = EverySteps(step), step

    def on_steps_end(self, trainer, output):
        if trainer.step == self._step:
            self._step = None
            signal.raise_signal(signal.SIGTERM)


class AskInValidation(Hook):
    """Sends a signal in the validation after a step."""

    def __init__(self, step):
        self.when = EverySteps(step)

    def on_steps_end(self, trainer, output):
        trainer.batches["validation"].asks = trainer.step == self.when.steps


class Stop(Hook):
    """Stops training at a step, as `--stop-at` does."""

    def __init__(self, step):
        self.when = EverySteps(step)

    def on_steps_end(self, trainer, output):
        trainer.stop("enough")


def test_ended_by_a_signal_at_every_step_it_ends_with_the_same_bits(tmp_path):
    one, other = new_trainer(task=Tiny()), new_trainer(task=Tiny())
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "asked"
    assert best_record(one.history).step == 7
    for step in range(1, 15):
        with pytest.raises(signals.Interrupted, match="SIGTERM"):
            resume(other, run, between=[Ask(step), EveryStep()])
    assert outcome(*resume(one, run), run) == expected


@pytest.mark.parametrize("step", [pytest.param(7, marks=pytest.mark.slow), 14])
def test_ended_by_a_signal_in_validation_it_validates_again_and_has_the_record_once(tmp_path, step):
    one, other = new_trainer(ema=0.9), new_trainer(ema=0.9)
    expected, run = whole(one, tmp_path / "whole"), tmp_path / "asked"
    with pytest.raises(signals.Interrupted, match="SIGTERM"):
        resume(other, run, between=[AskInValidation(step)])
    saved = newest_checkpoint(run / "checkpoints").training
    assert (saved["step"], len(saved["history"])) == (step, step // 7 - 1)
    assert outcome(*resume(one, run), run) == expected


def test_ended_by_a_signal_in_the_validation_of_an_epoch_cut_short_it_has_the_record_once(tmp_path):
    one, other = new_trainer(), new_trainer()
    expected, run = whole(one, tmp_path / "whole", between=[Stop(3)]), tmp_path / "asked"
    with pytest.raises(signals.Interrupted):
        resume(other, run, between=[Stop(3), AskInValidation(3)])
    assert outcome(*resume(one, run), run) == expected
    assert expected["stopped"] == "enough"
