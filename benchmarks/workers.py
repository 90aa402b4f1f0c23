"""Two workers on a core each: the cost model of docs/scaling.md, a strategy's own cost, Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import CHECKOUT
from trainer.distribution.local_group import run_group

ROWS = {"features": 64, "images": 16}
"""Of a batch, of which each of two workers takes half."""

ROUNDS = 3

HALF, TOGETHER = "half the batch, one process a core", "two workers, a core each"
FIT, PLAIN, MIRRORED = "Keras fit, two workers", "no strategy", "mirrored on one device"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Processes of their own, but for the strategy on one device."""
    return [
        Contestant(HALF, lambda: _alone(folders.scratch), ROUNDS),
        Contestant(TOGETHER, lambda: _together(folders.scratch), ROUNDS),
        Contestant(FIT, _fit, 1),
        Contestant(PLAIN, lambda: _step_of_head("one"), ROUNDS),
        Contestant(MIRRORED, lambda: _step_of_head("mirrored"), ROUNDS),
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """The model's prediction beside the measurement, and what else the page states."""
    ratios = {kind: _predicted(medians, kind) / _step(medians, kind) for kind in ROWS}
    strategy = medians[MIRRORED]["ms a step"] / medians[PLAIN]["ms a step"]
    return [
        *(
            Claim(f"two workers, {kind}: predicted / measured step", ratio, 0.8, 1.2)
            for kind, ratio in ratios.items()
        ),
        Claim(f"{MIRRORED}: times as long as with {PLAIN}", strategy, at_most=1.05),
        Claim(f"{FIT}: share that ends with an error", medians[FIT]["errors"], at_least=1),
    ]


def _predicted(medians: Medians, kind: str) -> float:
    """Half the batch, one exchange of gradients, and two of single numbers."""
    exchanges = medians[TOGETHER]
    gradients = exchanges[f"ms an exchange of the gradients, {kind}"]
    return (
        medians[HALF][f"ms a step, {kind}"]
        + gradients
        + 2 * exchanges["ms an exchange of one number"]
    )


def _step(medians: Medians, kind: str) -> float:
    return medians[TOGETHER][f"ms a step, {kind}"]


def _alone(scratch: Path) -> Measures:
    """The slower of two that run at once, as two workers do, and share the memory."""
    halves = [rows // 2 for rows in ROWS.values()]
    cores = sorted(os.sched_getaffinity(0))[:2]
    running = [
        subprocess.Popen(
            ["taskset", "-c", str(core), *_command(scratch / str(core), halves)],
            cwd=CHECKOUT,
            env=_silent(),
        )
        for core in cores
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError("a process ended with an error")
    found = [json.loads((scratch / str(core)).read_text()) for core in cores]
    return {name: max(measures[name] for measures in found) for name in found[0]}


def _together(scratch: Path) -> Measures:
    os.environ |= _silent()
    if code := run_group(_command(scratch / "steps.json", list(ROWS.values())), 2):
        raise RuntimeError(f"the workers ended with {code}")
    return json.loads((scratch / "steps.json").read_text())


def _command(out: Path, rows: Sequence[int]) -> list[str]:
    return [
        sys.executable,
        "-m",
        SCRIPTS + "worker_steps",
        str(out),
        *map(str, rows),
    ]


def _fit() -> Measures:
    os.environ |= _silent()
    code = run_group([sys.executable, "-m", SCRIPTS + "fit_on_workers"], 2)
    return {"errors": float(code != 0)}


def _step_of_head(strategy: str) -> Measures:
    script = [sys.executable, "-m", SCRIPTS + "strategy_step", strategy]
    done = _checked(
        subprocess.run(script, cwd=CHECKOUT, env=_silent(), stdout=subprocess.PIPE, text=True)
    )
    return {"ms a step": float(done.stdout.split()[-1])}


def _checked(done: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    if done.returncode:
        raise RuntimeError(f"{done.args} ended with {done.returncode}")
    return done


def _silent() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "TF_CPP_MIN_LOG_LEVEL": "3"}


SCRIPTS = "benchmarks.scripts."
