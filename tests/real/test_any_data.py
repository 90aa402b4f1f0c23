"""What docs/data.md promises of real photos, through the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real photos are not beside us")


@pytest.fixture
def learnt(tmp_path):
    """Runs the command; gives its result."""

    def run(*options):
        command = [sys.executable, "-m", "trainer.run", *options, "--log-dir", str(tmp_path / "l")]
        subprocess.run(command, cwd=ROOT, check=True)
        [result] = tmp_path.glob("l/*/*/result.json")
        return json.loads(result.read_text())

    return run


@pytest.fixture
def linked(tmp_path):
    """A folder of class folders without splits, of links to the photos that are there to train."""
    for photo in (DATA / "dogImages" / "train").glob("*/*"):
        link = tmp_path / "photos" / photo.parent.name / photo.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo)
    return tmp_path / "photos"


@pytest.mark.slow
def test_a_folder_with_splits_of_its_own(learnt):
    result = learnt("--task", "folder", "--data", str(DATA / "dogImages"))
    assert result["data"]["examples"] == {"train": 1920, "validation": 512, "test": 512}
    assert result["metrics"]["test"]["accuracy"] >= 0.92


@pytest.mark.slow
def test_a_folder_without_splits(learnt, linked):
    result = learnt("--task", "folder", "--data", str(linked))
    assert result["data"]["examples"] == {"train": 1344, "validation": 279, "test": 297}
    assert result["metrics"]["test"]["accuracy"] >= 0.88


@pytest.mark.slow
def test_a_dataset_of_tfds(learnt):
    result = learnt("--task", "tfds:tf_flowers", "--data-dir", str(DATA / "tfds"))
    assert result["data"]["examples"] == {"train": 2569, "validation": 551, "test": 550}
    assert result["metrics"]["test"]["accuracy"] >= 0.90
