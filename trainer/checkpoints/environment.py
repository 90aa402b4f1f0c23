"""What the bits of a run depend on beside its config: data, releases, cores, oneDNN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from trainer.core.concurrency import usable_cores
from trainer.core.errors import UserError
from trainer.core.tensorflow_import import onednn_enabled
from trainer.data.labels import names_as_json
from trainer.data.splits import Source
from trainer.machine.packages import versions


def environment(source: Source, replicas: int = 1) -> dict[str, Any]:
    """The environment of this process and of so many replicas, as JSON takes it."""
    return {
        "classes": names_as_json(source.classes),
        "examples": dict(source.examples),
        "data": {name: split.fingerprint for name, split in source.splits.items()},
        "versions": versions(),
        "cores": usable_cores(),
        "gpus": len(tf.config.list_physical_devices("GPU")),
        "replicas": replicas,
        "onednn": onednn_enabled(),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """A line for each reason why a resumed run may end with other bits than it would have.

    Raises:
        UserError: it cannot resume at all, with other classes or another number of examples.
    """
    for what in ("classes", "examples"):
        if before[what] != now[what]:
            raise UserError(
                f"the data have changed: the run began with {what} {before[what]}, and now there"
                f" are {now[what]}; restore them, or start a new run"
            )
    if before["data"] != now["data"]:
        yield "the data have changed since the run began: it may end with other weights"
    for package, release in before["versions"].items():
        present = now["versions"].get(package)
        if present != release:
            yield f"the run began with {package} {release}, not {present}: last bits may differ"
    for what in ("cores", "gpus", "replicas"):
        if what in before and before[what] != now[what]:  # runs of before know of no replicas
            yield f"the run began on {before[what]} {what}, not {now[what]}: last bits may differ"
    if before["onednn"] != now["onednn"]:
        was = "with" if before["onednn"] else "without"
        yield f"the run began {was} oneDNN (TF_ENABLE_ONEDNN_OPTS): last bits may differ"
