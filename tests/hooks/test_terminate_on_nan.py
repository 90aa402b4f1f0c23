"""Training that diverges ends at that step, and no checkpoint of it is kept."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.training import SIZES, epoch_record
from trainer import LoopOutput, Trainer
from trainer.checkpoints.store import newest_checkpoint
from trainer.core.errors import DivergedError
from trainer.hooks.terminate_on_nan import TerminateOnNaN

NAN, INFINITY = float("nan"), float("inf")


def logging(every):
    """As much of a trainer as says which steps it logs."""
    return SimpleNamespace(is_logged=lambda steps: (steps + 1) % every == 0)


LOGS_ALL = logging(every=1)


def output(first=10, **values):
    """The output of as many steps as there are values of each."""
    steps = len(next(iter(values.values())))
    recorded = {name: np.array(each, np.float32) for name, each in values.items()}
    return LoopOutput(first, first + steps, recorded, examples=steps, seconds=0.01)


def message(*outputs):
    hook = TerminateOnNaN()
    with pytest.raises(DivergedError) as ended:
        for each in outputs:
            hook.on_steps_end(LOGS_ALL, each)
    return str(ended.value)


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_loss_that_is_not_finite_is_named_with_its_step(place, value):
    losses = [0.5, 0.25, 0.125]
    losses[place] = value
    assert message(output(loss=losses)).startswith(
        f"the loss of step {11 + place} is {value} (last "
    )


def test_a_gradient_that_is_not_finite_is_named_too():
    text = message(output(loss=[0.5, 0.25], gradient_norm=[1.0, INFINITY]))
    assert text.startswith(
        "the gradient norm of step 12 is inf (last finite loss: 0.25 at step 12)"
    )


def test_a_gradient_norm_that_was_not_computed_ends_nothing():
    norms = output(first=9, loss=[0.5, 0.25], gradient_norm=[1.0, NAN])
    TerminateOnNaN().on_steps_end(logging(every=10), norms)


def test_the_first_diverging_step_is_named():
    text = message(output(loss=[0.5, 0.25, NAN], gradient_norm=[1.0, INFINITY, NAN]))
    assert text.startswith("the gradient norm of step 12 is inf ")


def test_the_message_has_the_last_finite_loss_and_what_to_do():
    assert message(output(loss=[0.5, 0.25, NAN, 0.1])) == (
        "the loss of step 13 is nan (last finite loss: 0.25 at step 12); try a lower"
        " --learning-rate, or --clip-norm 1"
    )


def test_the_last_finite_loss_may_be_of_a_call_before():
    text = message(output(first=10, loss=[0.5, 0.25]), output(first=12, loss=[NAN]))
    assert "(last finite loss: 0.25 at step 12)" in text


def test_without_any_finite_loss_the_message_says_none():
    assert "(last finite loss: none)" in message(output(first=0, loss=[NAN]))


def test_a_resumed_run_has_the_last_finite_loss_of_before():
    before, resumed = TerminateOnNaN(), TerminateOnNaN()
    before.on_steps_end(LOGS_ALL, output(loss=[0.5, 0.25]))
    resumed.load_state_dict(json.loads(json.dumps(before.state_dict())))
    with pytest.raises(DivergedError, match=r"0\.25 at step 12"):
        resumed.on_steps_end(LOGS_ALL, output(first=12, loss=[NAN]))


@pytest.mark.parametrize(
    "values",
    [
        {"loss": [0.5, 1e30]},
        {"loss": [0.5, 0.4], "gradient_norm": [0.0, 1e30]},
        {"loss": [0.5], "my_own": [NAN]},
    ],
    ids=str,
)
def test_finite_values_and_those_that_are_not_watched_end_nothing(values):
    TerminateOnNaN().on_steps_end(LOGS_ALL, output(**values))


@pytest.mark.parametrize("loss", [NAN, INFINITY])
def test_a_validation_without_a_finite_loss_ends_training(loss):
    TerminateOnNaN().on_epoch_end(None, epoch_record(2, loss=0.1))
    with pytest.raises(DivergedError, match=f"^the validation loss after step 14 is {loss}; try"):
        TerminateOnNaN().on_epoch_end(None, epoch_record(2, loss=loss))


# In training.


class Diverging(Trainer):
    """Its loss is NaN at the fifth step."""

    def train_step(self, batch):
        values = super().train_step(batch)
        fifth = tf.equal(tf.cast(self.optimizer.iterations, tf.int32), 5)
        return {**values, "loss": tf.where(fifth, np.nan, values["loss"])}


def test_a_step_within_a_call_is_named(make_trainer):
    trainer = make_trainer(Diverging)
    with pytest.raises(DivergedError, match=r"^the loss of step 5 is nan .* at step 4\)"):
        trainer.fit([TerminateOnNaN()])
    assert trainer.step == -(-SIZES["train"] // 8)


def test_a_step_that_mixed_float16_skips_is_no_divergence(make_trainer):
    """It skips the first steps: the scale of the loss is too large at first."""
    trainer = make_trainer(precision="mixed_float16", jit="off", epochs=3, log_every=1)
    trainer.optimizer.dynamic_scale.assign(2.0**20)
    taken = []

    class Recording(TerminateOnNaN):
        def on_steps_end(self, trainer, output):
            taken.extend(output.values["gradient_norm"])
            super().on_steps_end(trainer, output)

    trainer.fit([Recording()])
    assert taken[0] == 0.0
    assert taken[-1] > 0.0


# Through the command.


@pytest.fixture
def diverged(run_command, noise_folder, vector_module):
    """What a run ended with whose learning rate is far too high."""
    options = ["--data", noise_folder, "--extractor", vector_module, "--jit", "off"]
    options += ["--optimizer", "sgd", "--learning-rate", 1e30, "--checkpoint-every", "1steps"]
    return run_command(*options, "--batch-size", 16)


def test_a_run_that_diverges_exits_with_3_and_keeps_its_finite_checkpoints(diverged, tmp_path):
    [folder] = tmp_path.glob("logs/flowers/*")
    assert diverged.code == 3
    [line] = diverged.err.splitlines()
    assert line.startswith("error: the loss of step 2 is nan (last finite loss: 1.")
    assert " at step 1); try a lower --learning-rate, or --clip-norm 1; " in line
    assert not (folder / "result.json").exists()
    kept = newest_checkpoint(folder / "checkpoints")
    assert f"step {kept.training['step']} is saved" in line
    variables = tf.train.load_checkpoint(kept.variables)
    for name in variables.get_variable_to_shape_map():
        if name.startswith(("model/", "best/")):
            assert np.isfinite(variables.get_tensor(name)).all()
    assert json.loads((folder / "config.json").read_text())["learning_rate"] == 1e30


def test_a_run_that_diverged_diverges_again_when_it_is_resumed(diverged, run_command):
    again = run_command("--resume", "last")
    assert again.code == 3
    assert "resuming from " in again.out
    assert again.err.partition(" (")[0] == diverged.err.partition(" (")[0]
