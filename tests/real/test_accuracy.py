"""What the README promises of real photos, through the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real photos are not beside us")

TFDS = ("--data", "tfds", "--data-dir", str(DATA / "tfds"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "data", "accuracy"),
    [
        ("flowers", TFDS, 0.90),
        ("horses", TFDS, 0.99),
        ("dogs", ("--data", str(DATA / "dogImages")), 0.92),
    ],
)
def test_ten_epochs_on_real_photos_reach(task, data, accuracy, tmp_path):
    options = ["--task", task, *data, "--log-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "trainer.run", *options], cwd=ROOT, check=True)
    [result] = tmp_path.glob("*/*/result.json")
    assert json.loads(result.read_text())["metrics"]["test"]["accuracy"] >= accuracy


@pytest.mark.slow
def test_horses_cnn_tells_horses_from_humans_from_nothing(tmp_path):
    options = ["--task", "horses-cnn", *TFDS, "--log-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "trainer.run", *options], cwd=ROOT, check=True)
    [result] = tmp_path.glob("*/*/result.json")
    assert json.loads(result.read_text())["metrics"]["validation"]["accuracy"] >= 0.95
