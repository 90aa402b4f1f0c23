"""A search by Optuna: who trains which point, and what is left by a process that was killed."""

import dataclasses

import pytest

from trainer import Config
from trainer.sweeping.folder import FAILED, SweepFolder, Trial, TrialResult
from trainer.sweeping.plan import Plan, SweepOptions
from trainer.sweeping.results import Objective, PointResult
from trainer.sweeping.search import PROCESS, Study

OPTIONS = SweepOptions(search="tpe", trials=4, range=("learning_rate=1e-4:1e-1:log",))
ACCURACY = Objective("accuracy", is_maximized=True)


@pytest.fixture
def join(tmp_path):
    """Another process's study in one folder."""
    return lambda **options: Study(
        Plan(Config(), dataclasses.replace(OPTIONS, **options)), SweepFolder(tmp_path), ACCURACY
    )


def done(number, options, value=0.5, status="done"):
    return PointResult(
        [
            TrialResult(
                trial=Trial(number, number, options, 0), status=status, seconds=1, value=value
            )
        ]
    )


def test_it_gives_as_many_points_as_are_asked_for(join):
    study = join()
    assert [study.next() is not None for _ in range(5)] == [True] * 4 + [False]


def test_processes_share_the_points_among_them(join):
    studies = [join(), join()]
    numbers = [studies[n % 2].next()[0] for n in range(4)]
    assert numbers == [0, 1, 2, 3]
    assert [study.next() for study in studies] == [None, None]


def test_the_point_of_a_process_that_died_is_taken_over(join):
    killed = join()
    number, point = killed.next()
    killed._alive.release()  # as the system does
    assert join().next() == (number, point)


def test_the_point_of_a_process_that_lives_is_not(join):
    alive = join()
    assert alive.next()[0] == 0
    assert join().next()[0] == 1


def test_a_search_goes_on_with_more_points(join):
    study = join(trials=1)
    study.finish(done(*study.next()))
    assert study.next() is None
    assert join(trials=2).next()[0] == 1


def test_a_trial_that_failed_is_no_point_to_learn_from(join):
    study = join()
    study.finish(done(*study.next(), value=None, status=FAILED))
    assert [trial.state.name for trial in study._study.trials] == ["FAIL"]


def test_a_trial_that_is_far_worse_is_pruned(join):
    study = join(trials=8, prune=True)
    for _ in range(6):
        number, point = study.next()
        for epoch in (1, 2, 3):
            assert not study.should_prune(number, epoch, 0.9)
        study.finish(done(number, point, 0.9))
    number, _ = study.next()
    assert not study.should_prune(number, 1, 0.1)
    assert study.should_prune(number, 2, 0.1)


def test_half_a_line_that_a_killed_process_has_written_is_no_harm(join, tmp_path):
    study = join()
    study.finish(done(*study.next()))
    with SweepFolder(tmp_path).journal.open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')
    again = join()
    assert again.next()[0] == 1
    assert [trial.user_attrs[PROCESS] != "" for trial in join()._study.trials] == [True, True]
