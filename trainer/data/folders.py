"""A folder of class folders as a source: PATH/<class>/* or PATH/{train,valid,test}/<class>/*."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from trainer.data import SPLITS
from trainer.data.formats import refusal
from trainer.data.splits import Source, Split, file_state, fingerprint
from trainer.errors import UserError

SPLIT_FOLDERS = {"train": ("train",), "validation": ("validation", "valid"), "test": ("test",)}
SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
"""How a folder without splits of its own is cut."""


@dataclasses.dataclass(frozen=True)
class LabelledFile:
    """One image file and the class folder it lies in."""

    path: Path
    class_name: str


def folder_source(folder: Path, kind: str = "folder", name: str | None = None) -> Source:
    """The images below a folder, their classes named by the folders they lie in.

    Raises:
        UserError: no such folder, fewer than two classes, a split without images, or a file that
            is no image: its path is told.
    """
    if not folder.is_dir():
        raise UserError(f"--data {folder}: there is no such folder")
    files = _split_files(folder)
    classes = tuple(sorted({file.class_name for split in files.values() for file in split}))
    return Source(
        kind=kind,
        name=name or str(folder),
        version=None,
        classes=classes,
        splits={split: _split(folder, split, files[split], classes) for split in SPLITS},
    )


def _split_files(folder: Path) -> Mapping[str, Sequence[LabelledFile]]:
    if not _has_split_folders(folder):
        return _cut(_labelled_files(folder))
    return {split: _labelled_files(_split_folder(folder, split)) for split in SPLITS}


def _has_split_folders(folder: Path) -> bool:
    # A class may be called "train" too: a split's folder has folders in it, a class's has files.
    train = folder / "train"
    return train.is_dir() and any(path.is_dir() for path in _visible(train))


def _split_folder(folder: Path, split: str) -> Path:
    choices = [folder / name for name in SPLIT_FOLDERS[split]]
    found = [choice for choice in choices if choice.is_dir()]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"--data {folder}: {' and '.join(map(str, found))} are one split; keep one")
    raise UserError(f"--data {folder}: the {split} split is missing; make {choices[0]}/<class>")


def _labelled_files(folder: Path) -> list[LabelledFile]:
    files = [
        LabelledFile(path, class_folder.name)
        for class_folder in _visible(folder)
        if class_folder.is_dir()
        for path in _visible(class_folder)
    ]
    for file in files:
        _require_image(file.path)
    return files


def _visible(folder: Path) -> Iterable[Path]:
    # Hidden files are the system's (.DS_Store), not the user's.
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _require_image(path: Path) -> None:
    try:
        with path.open("rb") as file:
            reason = refusal(file)
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    if reason:
        raise UserError(f"{path} {reason}; mend it or move it out of the class folders")


def _cut(files: Sequence[LabelledFile]) -> Mapping[str, Sequence[LabelledFile]]:
    """70/15/15 of every class, by content: copies of one image stay in one split."""
    parts: dict[str, list[LabelledFile]] = {split: [] for split in SPLITS}
    for _, members in itertools.groupby(files, key=lambda file: file.class_name):
        for split, file in _cut_class(list(members)):
            parts[split].append(file)
    return parts


def _cut_class(files: list[LabelledFile]) -> Iterable[tuple[str, LabelledFile]]:
    digests = {file: hashlib.sha256(file.path.read_bytes()).digest() for file in files}
    copies = itertools.groupby(sorted(files, key=digests.__getitem__), key=digests.__getitem__)
    position = 0
    for _, same in copies:
        split = _split_at((position + 0.5) / len(files))
        for file in same:
            position += 1
            yield split, file


def _split_at(share: float) -> str:
    bounds = itertools.accumulate(SHARES.values())
    return next(
        (split for split, bound in zip(SHARES, bounds, strict=True) if share < bound), "test"
    )


def _split(
    folder: Path, split: str, files: Sequence[LabelledFile], classes: Sequence[str]
) -> Split:
    paths = [str(file.path) for file in files]
    labels = [classes.index(file.class_name) for file in files]
    # As bytes: a file's name need not be UTF-8.
    encoded_paths = [os.fsencode(path) for path in paths]
    return Split(
        name=f"{folder.name}/{split}",
        examples=len(files),
        fingerprint=fingerprint([file_state(file.path, folder) for file in files] + labels),
        references=lambda: tf.data.Dataset.from_tensor_slices(
            (tf.constant(encoded_paths, tf.string), tf.constant(labels, tf.int32))
        ),
        read=tf.io.read_file,
        shuffled_together=len(files),
        describe=paths.__getitem__,
    )
