"""A process that runs trials: it reads what to do from standard input, a line of JSON each.

`{"run": trial}` trains one, `{"train": trial}` trains it as an ordinary run in a folder of its own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from trainer.core import tensorflow_import
from trainer.core.errors import UserError
from trainer.sweeping.folder import SweepFolder, Trial
from trainer.sweeping.plan import saved_plan


def serve(folder: str, core: str) -> None:
    """Do what is asked for until standard input ends.

    Args:
        folder: Of the sweep.
        core: The number of the processor core to run on; "" for all.
    """
    answers = _answers()
    if core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    tensorflow_import.import_tensorflow()
    from trainer.sweeping.trials.trial_runner import TrialRunner  # with TensorFlow

    files = SweepFolder(Path(folder))
    plan = saved_plan(files)
    runner = TrialRunner(plan, files)
    for line in sys.stdin:
        message = json.loads(line)
        if "run" in message:
            ask = _pruner(answers) if plan.options.prune else None
            result = runner.run(Trial(**message["run"]), ask)
            _send(answers, {"result": dataclasses.asdict(result)})
        else:
            _send(answers, _trained(runner.train_best, Trial(**message["train"])))


def _answers() -> TextIO:
    """Standard output as it was; what is printed from here on goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w")


def _send(answers: TextIO, message: Mapping[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _pruner(answers: TextIO) -> Callable[[int, float], bool]:
    def ask(epoch: int, value: float) -> bool:
        _send(answers, {"epoch": epoch, "value": value})
        line = sys.stdin.readline()
        return bool(line) and bool(json.loads(line)["prune"])

    return ask


def _trained(train: Callable[[Trial], Mapping[str, Any]], trial: Trial) -> Mapping[str, Any]:
    try:
        return train(trial)
    except UserError as error:
        return {"error": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    serve(*sys.argv[1:])
