"""oneDNN off, as TensorFlow leaves it on processors without AVX512-VNNI, and on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import run_python

ROUNDS = 3

OFF, ON = "TF_ENABLE_ONEDNN_OPTS=0", "TF_ENABLE_ONEDNN_OPTS=1"
SPEED, STEP = "images/s extracted", "ms a step, horses-cnn"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """A process with each setting: the embedded extractor's forward, and training from scratch."""
    return [Contestant(setting, _measured(setting, folders), ROUNDS) for setting in (OFF, ON)]


def claims(medians: Medians) -> Sequence[Claim]:
    """How much oneDNN is worth here."""
    return [
        Claim("extraction: times as fast with oneDNN", medians[ON][SPEED] / medians[OFF][SPEED], 2),
        Claim("horses-cnn: times as fast with oneDNN", medians[OFF][STEP] / medians[ON][STEP], 1.8),
    ]


def _measured(setting: str, folders: Folders) -> Callable[[], Measures]:
    script = ("-m", "benchmarks.scripts.onednn", folders.data_dir)
    return lambda: json.loads(run_python(*script, settings=[setting]).output.splitlines()[-1])
