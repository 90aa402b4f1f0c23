import math

from trainer.hooks.profile import AtSteps, Profile


def test_calls_end_at_the_first_and_at_the_last_step():
    when = AtSteps((3, 6))
    assert [when.next(step) for step in (0, 3, 5, 6)] == [3, 6, 6, math.inf]
    assert [step for step in range(9) if when.due(step, finished=False)] == [3, 6]


def test_a_profile_lies_where_tensorboard_looks_for_it(make_traced_trainer, tmp_path):
    make_traced_trainer().fit([Profile(tmp_path, 3, 6)])
    assert list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_a_run_that_ends_before_the_last_step_has_a_profile_too(make_traced_trainer, tmp_path):
    make_traced_trainer().fit([Profile(tmp_path, 12, 99)])
    assert list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_a_run_that_is_resumed_behind_the_first_step_has_none(make_traced_trainer, tmp_path):
    trainer = make_traced_trainer()
    trainer.step = 7
    trainer.fit([Profile(tmp_path, 3, 9)])
    assert not list(tmp_path.glob("plugins/**/*.pb"))
