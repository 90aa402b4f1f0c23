"""Runs examples on so many replicas, and prints the history of each: NAME and REPLICAS follow."""

import contextlib
import importlib
import io
import json
import sys
import tempfile
import traceback
from pathlib import Path

from trainer import Config

LARGE_BATCHES = {
    *("adversarial_networks", "metric_learning", "multi_label"),
    *("regression", "tabular", "text"),
}
"""Examples with thousands of examples of their own."""


def config_of(name: str, folder: Path, module: str, replicas: int) -> Config:
    """Of a run of seconds: few pictures, an extractor of one layer."""
    return Config(
        data="sample",
        sample_examples=60,
        epochs=2,
        seed=7,
        report=False,
        batch_size=512 if name in LARGE_BATCHES else 8,
        extractor=module,
        image_size=8,
        jit="off",
        strategy="mirrored" if replicas else "one",
        devices=replicas or None,
        log_dir=folder / "logs",
        cache_dir=folder / "cache",
    )


def history_of(name: str, folder: Path, module: str, replicas: int) -> object:
    """What the run records of training and validation, or why it fails."""
    example = importlib.import_module(f"examples.{name}")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run = example.main(config_of(name, folder, module, replicas))
        return [dict(row) for row in run._epochs]
    except Exception:
        return traceback.format_exc()[-1500:]


if __name__ == "__main__":
    module, replicas, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        found = {n: history_of(n, Path(folder), module, int(replicas)) for n in names}
    print(json.dumps(found))
