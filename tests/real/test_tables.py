"""Tables of real photos: labels and numbers of flowers, learned by the command, killed, resumed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.images.decoding import decode
from trainer.data.readers.tfds import tfds_source

ROOT = Path(__file__).parents[2]
TFDS = ROOT.parent / "shared" / "data" / "tfds"
PHOTOS, SPLITS = 600, dict.fromkeys(("train", "validation", "test"), "train[:600]")

pytestmark = [
    pytest.mark.skipif(not TFDS.is_dir(), reason="the real photos are not beside us"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The first photos with their kind, "bright" for the brighter half, and their brightness."""
    folder = tmp_path_factory.mktemp("flowers")
    source = tfds_source("tf_flowers", SPLITS, TFDS)
    names, kinds, brightness = [], [], []
    for number, (encoded, label) in enumerate(source.splits["train"].references()):
        (folder / f"{number}.jpg").write_bytes(encoded.numpy())
        names.append(f"{number}.jpg")
        kinds.append(source.class_names[int(label)])
        brightness.append(float(tf.reduce_mean(tf.cast(decode(encoded), tf.float32)) / 255))
    labels = [
        f"{kind};bright" if light > np.median(brightness) else kind
        for kind, light in zip(kinds, brightness, strict=True)
    ]
    for table, column in (("labels", labels), ("numbers", brightness)):
        rows = [f"{name},{value}" for name, value in zip(names, column, strict=True)]
        (folder / f"{table}.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    return folder


KILL = """
import os, signal
from trainer import EverySteps, Hook

class Kill(Hook):
    when = EverySteps(100)

    def on_steps_end(self, trainer, output):
        if trainer.step == 100 and "KILL" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("task", "table", "metric", "least"),
    [
        ("multi-label", "labels", "mean_average_precision", 0.87),
        ("regression", "numbers", "r2", 0.2),
    ],
)
def test_a_table_of_photos_is_learned_and_resumed_to_the_bit(
    tables, tmp_path, monkeypatch, task, table, metric, least
):
    (tmp_path / "my_hooks.py").write_text(KILL)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    common = ("--cache-dir", str(tables / "cache"), "--hook", "my_hooks:Kill")

    def run(log_dir, *options):
        command = [sys.executable, "-m", "trainer.run", "--log-dir", log_dir, *options]
        done = subprocess.run(command, cwd=tmp_path)
        return done.returncode, list((tmp_path / log_dir).glob("*/*"))

    options = ("--task", task, "--data", str(tables / f"{table}.csv"), *common)
    options += ("--checkpoint-every", "30steps")
    code, [whole] = run("whole", *options)
    assert code == 0
    monkeypatch.setenv("KILL", "1")
    code, [killed] = run("killed", *options)
    assert code == -9
    monkeypatch.delenv("KILL")
    assert run("killed", "--resume", "last")[0] == 0
    expected, resumed = (json.loads((path / "result.json").read_text()) for path in (whole, killed))
    assert resumed["weights_digest"] == expected["weights_digest"]
    assert resumed["metrics"] == expected["metrics"]
    assert expected["metrics"]["test"][metric] > least
