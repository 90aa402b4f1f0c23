"""Trials of flowers' head in processes of their own, for `benchmarks.sweep`.

`python -m benchmarks.trials memory FOLDER DATA_DIR` and `… speed FOLDER DATA_DIR cores|all`
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.processes import MAXRSS_UNIT
from trainer import Config
from trainer.core.tensorflow_import import import_tensorflow
from trainer.report.result import write_json
from trainer.setup.plugins import find_task
from trainer.sweeping.folder import SweepFolder
from trainer.sweeping.plan import Plan, SweepOptions
from trainer.sweeping.processes import cores
from trainer.sweeping.results import Objective
from trainer.sweeping.scheduler import Scheduler
from trainer.sweeping.search import PlannedPoints
from trainer.sweeping.sweep import Processes

FEW, MANY = 20, 200
"""After how many trials the memory is measured."""

TIMED = 12


def config(folder: Path, data_dir: Path, epochs: int) -> Config:
    """Flowers' own options, with the features that are kept in a folder."""
    return dataclasses.replace(
        find_task("flowers").defaults,
        data="tfds",
        data_dir=data_dir,
        cache_dir=folder / "cache",
        log_dir=folder / "logs",
        epochs=epochs,
    )


def memory(folder: Path, data_dir: Path) -> dict[str, float]:
    """The most memory of one process after few and after many trials, in megabytes."""
    import_tensorflow()
    from trainer.sweeping.trials.trial_runner import TrialRunner  # with TensorFlow

    plan = Plan(config(folder, data_dir, epochs=1), SweepOptions(seeds=MANY))
    runner, peaks = TrialRunner(plan, SweepFolder(folder / "memory")), {}
    for done, trial in enumerate(plan.trials(0, {}), start=1):
        runner.run(trial)
        if done in (FEW, MANY):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / 1e6
            peaks[f"peak MB after {done}"] = peak
    return peaks


def speed(folder: Path, data_dir: Path, on: str) -> dict[str, float]:
    """The seconds of a trial in processes that have compiled: one for each core, or one in all."""
    on_cores = cores() if on == "cores" else [None]
    files = SweepFolder(folder / f"speed {on}")
    files.path.mkdir(parents=True, exist_ok=True)
    base = config(folder, data_dir, epochs=10)
    timed = Plan(base, SweepOptions(seeds=TIMED))
    warm_up = Plan(dataclasses.replace(base, seed=100), SweepOptions(seeds=len(on_cores)))
    write_json(files.sweep, timed.as_json())
    processes = Processes(files, on_cores)
    try:
        _run(processes, warm_up, files.path / "warm-up")
        began = time.perf_counter()
        _run(processes, timed, files.path / "timed")
        return {"seconds a trial": (time.perf_counter() - began) / TIMED}
    finally:
        processes.end()


def _run(processes: Processes, plan: Plan, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    points = PlannedPoints([{}])
    accuracy = Objective("accuracy", is_maximized=True)
    processes.run(Scheduler(plan, SweepFolder(folder), points, accuracy), lambda: None)


if __name__ == "__main__":
    what, path, data, *rest = sys.argv[1:]
    measure = {"memory": memory, "speed": speed}[what]
    print(json.dumps(measure(Path(path), Path(data), *rest)))  # type: ignore[operator]
