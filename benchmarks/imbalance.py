"""Rare classes: what class weights, balanced sampling and focal loss change.

tf_flowers, of which two of the five kinds have a tenth of their training photos; validation and
test are whole. Every round has another seed.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.photo_files import write_photos
from tasks.flowers import Flowers
from trainer import Config, train
from trainer.evaluation.outputs import SINGLE_OUTPUT

PHOTOS, ROUNDS = 3670, 3
RARE, KEPT_OF = ("daisy", "tulips"), 10

PLAIN = "plain"
OPTIONS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "--class-weights balanced": {"class_weights": "balanced"},
    "--sampling balanced": {"sampling": "balanced"},
    "--loss focal": {"loss": "focal"},
}

BALANCED_ACCURACY = "balanced accuracy"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Ten epochs of the task flowers, with each of the options and without."""
    photos = folders.scratch / "photos"
    write_photos(folders.data_dir, photos, PHOTOS)
    for kind in RARE:
        files = sorted((photos / "train" / kind).iterdir())
        for number, path in enumerate(files):
            if number % KEPT_OF:
                path.unlink()
    config = Config(
        data=str(photos),
        cache_dir=folders.scratch / "cache",
        log_dir=folders.scratch / "logs",
        report=False,
    )
    return [Contestant(name, _run(config, options), ROUNDS) for name, options in OPTIONS.items()]


def claims(medians: Medians) -> Sequence[Claim]:
    """The gain in balanced accuracy over the plain run."""
    plain = medians[PLAIN][BALANCED_ACCURACY]
    return [
        Claim(f"{name}: balanced accuracy more than plain", of[BALANCED_ACCURACY] - plain)
        for name, of in medians.items()
        if name != PLAIN
    ]


def _run(config: Config, options: dict[str, Any]) -> Callable[[], Measures]:
    seeds = itertools.count()
    return lambda: _measures(config, {**options, "seed": next(seeds)})


def _measures(config: Config, options: dict[str, Any]) -> Measures:
    """Of the test split."""
    run = train(Flowers(), dataclasses.replace(config, **options))
    output = run.evaluate("test").evaluation.outputs[SINGLE_OUTPUT]
    is_right = output.predicted == output.labels
    recalls = {
        name: float(np.mean(is_right[output.labels == label]))
        for label, name in enumerate(output.names)
    }
    return {
        BALANCED_ACCURACY: float(np.mean(list(recalls.values()))),
        "accuracy": float(np.mean(is_right)),
        "recall of the rare": float(np.mean([recalls[name] for name in RARE])),
    }
