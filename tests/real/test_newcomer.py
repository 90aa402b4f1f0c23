"""Four commands from nothing: clone, install, train on a folder of photos, predict one's own."""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_four_commands_lead_from_a_clone_to_a_prediction(checkout, shared, tmp_path):
    photos = shared / "data" / "dogImages"
    breed = sorted((photos / "test").iterdir())[7]
    shutil.copy(min(breed.iterdir()), tmp_path / "my_dog.jpg")
    python = tmp_path / "trainer" / ".venv" / "bin" / "python"
    commands = [
        ["git", "clone", "--quiet", str(checkout), "trainer"],
        [
            "sh",
            "-c",
            f"{sys.executable} -m venv trainer/.venv && {python} -m pip install -q trainer/",
        ],
        [str(python), "-m", "trainer.run", "--task", "folder", "--data", str(photos), "--quiet"],
        [str(python), "-m", "trainer.predict", "last", "my_dog.jpg", "--json"],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    prediction = json.loads(done.stdout)
    assert prediction["predicted"] == breed.name
