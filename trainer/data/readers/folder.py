"""A folder of class folders as a source: PATH/<class>/* or PATH/{train,valid,test}/<class>/*."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.hashing import file_state, fingerprint
from trainer.data import SPLITS
from trainer.data.checks.unreadable import REMEDY, unreadable_examples
from trainer.data.images.formats import refusal
from trainer.data.readers.digests import file_digests
from trainer.data.readers.partition import LabelledFile, partition
from trainer.data.splits import Source, Split

SPLIT_FOLDERS = {
    "train": ("train",),
    "validation": ("validation", "valid", "val"),
    "test": ("test",),
}


def folder_source(
    folder: Path,
    kind: str = "folder",
    name: str | None = None,
    memory: Path | None = None,
    checking: Callable[[int, int], None] | None = None,
) -> Source:
    """The images below a folder, their classes named by the folders they lie in.

    Splits that it lacks are cut from its train, or from all there is; see `partition`. What that
    takes is kept in `memory`, a folder, for the next time.

    With `checking`, which is told how many images are done and of how many, each is decoded first.
    Files that give no image are left out then, and all is as if they had never been there.

    Raises:
        UserError: no such folder, fewer than two classes, a split without images, or, without
            `checking`, a file that is no image: its path is told.
    """
    if not folder.is_dir():
        raise UserError(f"--data {folder}: there is no such folder")
    files, cut, skipped = _split_files(folder, memory, checking)
    classes = tuple(sorted({file.class_name for split in files.values() for file in split}))
    return Source(
        kind=kind,
        name=name or str(folder),
        version=None,
        classes=classes,
        splits={split: _split(folder, split, files[split], classes) for split in SPLITS},
        cut=cut,
        skipped=skipped,
    )


def _split_files(
    folder: Path, memory: Path | None, checking: Callable[[int, int], None] | None
) -> tuple[dict[str, list[LabelledFile]], tuple[str, ...], dict[str, str]]:
    """The files of the three splits; which of these the folder lacks; what was left out, and why.

    That comes first: a file that is no image has no say in where another one goes.
    """
    folders = _split_folders(folder) if _has_split_folders(folder) else {"train": folder}
    files = {split: _labelled_files(found) for split, found in folders.items()}
    skipped = _unreadable(folder, list(itertools.chain(*files.values())), memory, checking)
    files = {
        split: [f for f in found if str(f.path) not in skipped] for split, found in files.items()
    }
    missing = tuple(split for split in SPLITS if split not in folders)
    if missing:
        digests = file_digests([file.path for file in files["train"]], memory)
        files |= partition(files["train"], digests, missing)
    return files, missing, skipped


def _has_split_folders(folder: Path) -> bool:
    # A class may be called "train" too: a split's folder has folders in it, a class's has files.
    train = folder / "train"
    return train.is_dir() and any(path.is_dir() for path in _visible(train))


def _split_folders(folder: Path) -> dict[str, Path]:
    return {split: found for split in SPLITS if (found := _split_folder(folder, split)) is not None}


def _split_folder(folder: Path, split: str) -> Path | None:
    choices = [folder / name for name in SPLIT_FOLDERS[split]]
    found = [choice for choice in choices if choice.is_dir()]
    if len(found) > 1:
        raise UserError(f"--data {folder}: {' and '.join(map(str, found))} are one split; keep one")
    return found[0] if found else None


def _labelled_files(folder: Path) -> list[LabelledFile]:
    return [
        LabelledFile(path, class_folder.name)
        for class_folder in _visible(folder)
        if class_folder.is_dir()
        for path in _visible(class_folder)
    ]


def _visible(folder: Path) -> Iterable[Path]:
    # Hidden files are the system's (.DS_Store), not the user's.
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _unreadable(
    folder: Path,
    files: Sequence[LabelledFile],
    memory: Path | None,
    checking: Callable[[int, int], None] | None,
) -> dict[str, str]:
    """What is wrong with files that are no images, by their paths; an error without `checking`."""
    refused = {str(file.path): why for file in files if (why := _refusal(file.path))}
    if checking is None:
        for path, why in refused.items():
            raise UserError(f"{path} {why}; {REMEDY}")
        return {}
    rest = [file for file in files if str(file.path) not in refused]
    split = _split(folder, "images", rest, sorted({file.class_name for file in rest}))
    found = unreadable_examples(split, checking, memory)
    return refused | {split.describe(position): why for position, why in found.items()}


def _refusal(path: Path) -> str | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe, once opened, waits for a writer
            return "is a folder" if path.is_dir() else "is no regular file"
        with path.open("rb") as file:
            return refusal(file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"


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
        shuffle_buffer_size=len(files),
        describe=paths.__getitem__,
    )
