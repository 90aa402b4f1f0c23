"""Planted mistakes in tf_flowers: how many of them review finds, and how much else it suspects."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians
from benchmarks.processes import run_python

PHOTOS = 3670
"""All of the dataset."""

SEEDS = (1, 2, 3)
WRONG = 0.05
"""Of the labels."""

COPIES = 100
"""Of photos in train, in the test split: mirrored, brighter, and compressed once more."""

PRECISION, RECALL, FOUND = "label precision", "label recall", "share of copies found"


def contestants(folders: Folders) -> Sequence[Contestant]:
    """A review of the photos for each seed, by which labels are swapped and copies made."""
    photos = folders.scratch / "photos"
    run_python("-m", "benchmarks.photo_files", folders.data_dir, photos, PHOTOS)
    return [
        Contestant(f"mistakes by seed {seed}", functools.partial(_review, folders, photos, seed), 1)
        for seed in SEEDS
    ]


def claims(medians: Medians) -> Sequence[Claim]:
    """The mean over the seeds."""
    means = {name: float(np.mean([m[name] for m in medians.values()])) for name in _FLOORS}
    return [Claim(f"{name}, mean", means[name], at_least=floor) for name, floor in _FLOORS.items()]


_FLOORS = {PRECISION: 0.65, RECALL: 0.8, FOUND: 0.9}


def _review(folders: Folders, photos: Path, seed: int) -> Measures:
    folder = folders.scratch / str(seed)
    folder.mkdir()
    rng = np.random.default_rng(seed)
    files = sorted(photos.rglob("*.jpg"))
    names = sorted({file.parent.name for file in files})
    swapped = set(rng.choice(len(files), round(WRONG * len(files)), replace=False).tolist())
    rows = {
        str(file): (_other(file.parent.name, names, rng) if number in swapped else file.parent.name)
        for number, file in enumerate(files)
    }
    in_train = [file for file in files if "train" in file.parts]
    copied = [in_train[int(n)] for n in rng.choice(len(in_train), COPIES, replace=False)]
    copies = {str(copy): str(file) for copy, file in _write_copies(copied, folder / "copies")}
    splits = {file: Path(file).parts[-3] for file in rows} | dict.fromkeys(copies, "test")
    labels = rows | {copy: rows[file] for copy, file in copies.items()}
    _write_table(folder / "labels.csv", labels, splits)
    finished = run_python(
        *("-m", "trainer.review", "--data", folder / "labels.csv", "--json", "--out", folder),
        *("--cache-dir", folders.scratch / "cache"),
    )
    assert json.loads(finished.output)["findings"]
    with (folder / "review.csv").open(newline="") as table:
        findings = list(csv.DictReader(table))
    wrong = {files[number] for number in swapped}
    return {"seconds": finished.seconds, **_found(findings, {str(file) for file in wrong}, copies)}


def _other(name: str, names: Sequence[str], rng: np.random.Generator) -> str:
    return str(rng.choice([other for other in names if other != name]))


def _write_copies(files: Sequence[Path], folder: Path) -> Iterator[tuple[Path, Path]]:
    folder.mkdir()
    for file in files:
        copy = folder / file.name
        with Image.open(file) as photo:
            brighter = ImageEnhance.Brightness(ImageOps.mirror(photo)).enhance(1.1)
            brighter.save(copy, quality=85)
        yield copy, file


def _write_table(path: Path, labels: Mapping[str, str], splits: Mapping[str, str]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "split"])
        table.writerows([image, label, splits[image]] for image, label in labels.items())


def _found(
    findings: Sequence[Mapping[str, str]], wrong: set[str], copies: Mapping[str, str]
) -> Measures:
    # A copy of a photo with a swapped label has it too, and is as right to be suspected.
    mistakes = wrong | {copy for copy, file in copies.items() if file in wrong}
    suspected = {row["image"] for row in findings if row["finding"] == "label"}
    pairs = {
        frozenset((row["image"], row["other"]))
        for row in findings
        if row["finding"] == "near-duplicate"
    }
    return {
        PRECISION: len(suspected & mistakes) / max(1, len(suspected)),
        RECALL: len(suspected & mistakes) / len(mistakes),
        FOUND: sum(frozenset(pair) in pairs for pair in copies.items()) / len(copies),
    }
