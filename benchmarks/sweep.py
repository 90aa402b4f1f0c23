"""64 trials of flowers' head by one sweep, beside as many runs; memory; trials side by side."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import run_python, run_trainer
from benchmarks.trials import FEW, MANY

TRIALS = 64
GRID = ("learning_rate=1e-2,3e-3,1e-3,3e-4", "weight_decay=none,1e-4")
SEEDS = 8
RUNS = 3

RUN, SWEEP = "one run, features kept", f"a sweep of {TRIALS} trials"
MEMORY = f"{MANY} trials in one process"
CORES, ALL = "trials side by side, a core each", "one trial after another on all cores"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """A run, the sweep, and trials in processes of their own."""
    data = ("--task", "flowers", "--data", "tfds", "--data-dir", folders.data_dir)
    run_trainer(folders.scratch, *data, "--epochs", 1)  # the features are cached from here on
    trials = functools.partial(_trials, folders)
    return [
        Contestant(RUN, lambda: _run(folders, data), RUNS),
        Contestant(SWEEP, lambda: _sweep(folders, data), 1),
        Contestant(MEMORY, lambda: trials("memory"), 1),
        Contestant(CORES, lambda: trials("speed", "cores"), RUNS),
        Contestant(ALL, lambda: trials("speed", "all"), RUNS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """What one start is worth; the runs are so many times the median of a few."""
    run, sweep, memory = (medians[name] for name in (RUN, SWEEP, MEMORY))
    start = run["seconds"] - run["seconds of training"]
    budget = 0.8 * TRIALS * run["seconds of training"] + start
    sides = medians[ALL]["seconds a trial"] / medians[CORES]["seconds a trial"]
    return [
        Claim(
            f"{TRIALS} times {RUN} ÷ {SWEEP}",
            TRIALS * run["seconds"] / sweep["seconds"],
            at_least=6,
        ),
        Claim(
            f"{SWEEP} ÷ (0.8 · {TRIALS} · training of a run + one start)",
            sweep["seconds"] / budget,
            at_most=1,
        ),
        Claim(
            f"peak memory after {MANY} trials ÷ after {FEW}",
            memory[f"peak MB after {MANY}"] / memory[f"peak MB after {FEW}"],
            at_most=1.1,
        ),
        Claim(f"{CORES}: times as many as {ALL}", sides, at_least=1),
    ]


def _run(folders: Folders, data: Sequence[object]) -> Measures:
    finished = run_trainer(folders.scratch, *data, "--json", "--run-name", _new_name(folders))
    training = json.loads(finished.output)["seconds"]["train"]
    return {"seconds": finished.seconds, "seconds of training": training}


def _sweep(folders: Folders, data: Sequence[object]) -> Measures:
    grid = [option for text in GRID for option in ("--grid", text)]
    places = ("--cache-dir", folders.scratch / "cache", "--log-dir", folders.scratch / "logs")
    options = [*data, *grid, "--seeds", SEEDS, *places, "--json"]
    finished = run_python("-m", "trainer.sweep", *options)
    assert json.loads(finished.output)["trials"] == {"done": TRIALS}, finished.output
    return {"seconds": finished.seconds}


def _trials(folders: Folders, what: str, *options: str) -> Measures:
    command = ("-m", "benchmarks.trials", what, folders.scratch, folders.data_dir, *options)
    return json.loads(run_python(*command).output.splitlines()[-1])


def _new_name(folders: Folders) -> str:
    return f"run{len(list(folders.scratch.glob('logs/flowers/*')))}"
