"""docs/data.md is true: every command in it runs, on data of the kind it is about."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m trainer\.run .*$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory, write_photos):
    """A folder with `photos` in class folders and, where TFDS looks, a few pictures of flowers."""
    folder = tmp_path_factory.mktemp("place")
    write_photos(folder / "photos", 50)
    write_tables(folder)
    builder = tfds.builder("tf_flowers", data_dir=folder / "tfds")
    tfds.dataset_builders.store_as_tfds_dataset(
        name="tf_flowers",
        version=builder.version,
        features=builder.info.features,
        split_datasets={"train": [(number, flower(number)) for number in range(40)]},
        data_dir=folder / "tfds",
    )
    return folder


def write_tables(folder):
    """The tables of the page, of the photos in the folder."""
    files = sorted(folder.glob("photos/*/*"))
    labels = {
        "classes": [file.parent.name for file in files],
        "labels": [
            f"{file.parent.name};{'odd' if n % 2 else 'even'}" for n, file in enumerate(files)
        ],
        "numbers": range(len(files)),
    }
    for name, column in labels.items():
        rows = [f"{file},{label}" for file, label in zip(files, column, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["path,label", *rows]) + "\n")


def flower(number):
    return {"image": np.full([32, 32, 3], 6 * number, np.uint8), "label": number % 5}


def test_it_shows_every_kind_of_data():
    tasks = {shlex.split(command)[shlex.split(command).index("--task") + 1] for command in COMMANDS}
    assert tasks == {"folder", "multi-label", "regression", "tfds:tf_flowers"}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(command, place, tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TFDS_DATA_DIR": str(place / "tfds"),
        "XDG_CACHE_HOME": str(place / "cache"),
    }
    arguments = [sys.executable, *shlex.split(command)[1:], "--log-dir", str(tmp_path)]
    subprocess.run(arguments, check=True, cwd=place, env=environment)
    [result] = tmp_path.glob("*/*/result.json")
    assert json.loads(result.read_text())["status"] == "done"
