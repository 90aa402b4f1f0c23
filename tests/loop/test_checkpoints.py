import numpy as np
import pytest

from trainer.loop.checkpoints import Checkpoints
from trainer.loop.triggers import EverySteps


class Save:
    """A hook that saves at every so many steps."""

    def __init__(self, checkpoints: Checkpoints, steps: int) -> None:
        self.when = EverySteps(steps)
        self.checkpoints = checkpoints

    def __call__(self, trainer, span):
        self.checkpoints.save()


@pytest.fixture
def trained(make_trainer, tmp_path):
    """A trainer that saved after each step of two epochs, and its best at the end."""
    trainer = make_trainer()
    checkpoints = Checkpoints(trainer, tmp_path)
    trainer.fit([Save(checkpoints, steps=1)])
    checkpoints.save_best()
    return trainer, checkpoints


def state(trainer) -> list[np.ndarray]:
    variables = [*trainer.model.variables, *trainer.optimizer.variables]
    return [v.numpy() for v in [*variables, *trainer.train_metrics.variables]]


def test_the_last_three_are_kept(trained, tmp_path):
    names = {path.stem for path in (tmp_path / "last").glob("step-*.index")}
    assert names == {"step-12", "step-13", "step-14"}


def test_the_best_lies_apart_from_the_last(trained, tmp_path):
    assert [path.name for path in (tmp_path / "best").glob("*.index")] == ["step-14.index"]


def test_a_new_best_takes_the_place_of_the_old(trained, tmp_path):
    trainer, checkpoints = trained
    trainer.step = 99
    checkpoints.save_best()
    assert [path.name for path in (tmp_path / "best").glob("*.index")] == ["step-99.index"]


def test_restoring_the_best_brings_every_variable_back(trained):
    trainer, checkpoints = trained
    kept = state(trainer)
    for variable in [*trainer.model.variables, *trainer.optimizer.variables]:
        variable.assign(np.zeros_like(variable))
    trainer.step = 99
    checkpoints.restore_best()
    assert trainer.step == 14
    for variable, saved in zip(state(trainer), kept, strict=True):
        np.testing.assert_array_equal(variable, saved)


def test_the_seeds_of_dropout_are_among_what_is_kept(trained):
    trainer, checkpoints = trained
    seed = next(v for v in trainer.model.variables if "seed" in v.path)
    kept = seed.numpy()
    seed.assign(kept + 1)
    checkpoints.restore_best()
    np.testing.assert_array_equal(seed, kept)


def test_a_trainer_of_another_process_takes_it_up(trained, make_trainer, tmp_path):
    trainer, _ = trained
    other = make_trainer(seed=3)
    Checkpoints(other, tmp_path).restore_best()
    for variable, saved in zip(state(other), state(trainer), strict=True):
        np.testing.assert_array_equal(variable, saved)
