"""What a sweep looks at before its first trial: the data, with all cores, and the metric."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from typing import Any

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.loop.history import parse_best
from trainer.loop.metrics import Metrics
from trainer.optimization.losses import check_label_options
from trainer.setup.plugins import find_task, load_hooks, load_trainer_class
from trainer.sweeping.plan import Plan
from trainer.sweeping.results import Objective
from trainer.sweeping.space import Choices
from trainer.sweeping.trials.trial_data import DATA_OPTIONS, TrialData, data_key

logger = logging.getLogger(__name__)


def prepare_data(plan: Plan) -> Any:
    """Extract the features that are not cached, and cut the folds; returns the classes' names.

    Raises:
        UserError: none of the data can be read; or the task, the trainer or a hook.
    """
    load_trainer_class(plan.config.trainer)
    load_hooks(plan.config.hook)
    task, classes, errors = find_task(plan.config.task), None, list[UserError]()
    check_label_options(task, plan.config)
    configs = {data_key(config): config for config in _data_configs(plan)}
    for config in configs.values():
        try:
            read = TrialData(task, config, plan.options.folds, plan.config.seed)
            classes = read.classes if classes is None else classes
        except UserError as unreadable:
            errors.append(unreadable)
    if classes is None:
        raise errors[0] if errors else UserError("no point has options that go together")
    for error in errors:
        logger.warning("some trials will fail: %s", error)
    return classes


def find_objective(plan: Plan, classes: Any) -> Objective:
    """The metric by which the best weights of a run are chosen, too.

    Raises:
        UserError: the task names one that it does not have.
    """
    task = find_task(plan.config.task)
    names = ["loss", *Metrics(task.metrics(), classes).names]
    direction, metric = parse_best(task.best, names)
    return Objective(metric, direction == "max")


def _data_configs(plan: Plan) -> list[Config]:
    """The configs of all combinations of values on which the data depend."""
    dimensions = [
        [(each.name, value) for value in each.values]
        for each in plan.space
        if isinstance(each, Choices) and each.name in DATA_OPTIONS
    ]
    configs = []
    for values in itertools.product(*dimensions):
        try:
            configs.append(dataclasses.replace(plan.config, **dict(values)))
        except UserError:  # such a trial fails with the same words
            continue
    return configs
