"""A folder of class folders as a source: PATH/<class>/* or PATH/{train,valid,test}/<class>/*."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.core.errors import UserError
from trainer.core.text import nearest_name
from trainer.data import SPLITS
from trainer.data.checks.unreadable import REMEDY, unreadable_examples
from trainer.data.images.formats import file_error
from trainer.data.json_cache import NO_CACHE, JsonCache
from trainer.data.readers.files_split import Digests, files_split
from trainer.data.readers.layout import folders_in, image_files, split_folders
from trainer.data.readers.partition import LabelledFile, file_digests, partition
from trainer.data.splits import Source, Split

logger = logging.getLogger(__name__)


def folder_source(
    folder: Path, cache: JsonCache = NO_CACHE, skip_unreadable: bool = False
) -> Source:
    """The images in a folder, labelled by the names of their class folders.

    Splits that it lacks are cut from its train, or from all its images; see `partition`.

    Args:
        folder: The folder.
        cache: Keeps for later runs what needs a look into every file.
        skip_unreadable: Decode every image first; the result is then as if the files that cannot
            be decoded did not exist.

    Raises:
        UserError: no such folder, fewer than two classes, a split without images, or, without
            `skip_unreadable`, a file that is not an image.
    """
    if not folder.is_dir():
        raise UserError(f"--data {folder}: there is no such folder; {_other_folder(folder)}")
    # Unreadable files go first, so that they do not decide which split another file is in.
    files, skipped = _readable_files(folder, cache, skip_unreadable)
    paths = [file.path for found in files.values() for file in found]
    digests: Digests = functools.cache(
        lambda: dict(zip(paths, file_digests(paths, cache), strict=True))
    )
    missing = tuple(split for split in SPLITS if split not in files)
    if missing:
        train = files["train"]
        files |= partition(train, [digests()[file.path] for file in train], missing)
    classes = sorted({file.class_name for found in files.values() for file in found})
    return Source(
        kind="folder",
        name=str(folder),
        version=None,
        classes=tuple(classes),
        splits={split: _split(folder, split, files[split], classes, digests) for split in SPLITS},
        cut=missing,
        skipped=skipped,
    )


def _other_folder(folder: Path) -> str:
    """What to choose where there is no such folder: what has the nearest name, if something has."""
    beside = folder.parent.glob("*") if folder.parent.is_dir() else ()
    choices = {path.name: str(path) for path in beside if path.is_dir()}
    if folder.name == str(folder):
        choices |= {word: word for word in ("tfds", "sample")}
    nearest = nearest_name(folder.name, choices)
    return f"did you mean {choices[nearest]}?" if nearest else "choose a folder of class folders"


def _readable_files(
    folder: Path, cache: JsonCache, skip_unreadable: bool
) -> tuple[dict[str, list[LabelledFile]], dict[str, str]]:
    """The files of each split that the folder has; and each file that was skipped, with the error.

    Raises:
        UserError: a file is unreadable, and none is to be skipped.
    """
    files = {split: _labelled_files(found) for split, found in split_folders(folder).items()}
    everything = list(itertools.chain(*files.values()))
    unsupported = {str(file.path): why for file in everything if (why := file_error(file.path))}
    if not skip_unreadable:
        for path, why in unsupported.items():
            raise UserError(f"{path} {why}; {REMEDY}")
        return files, {}
    rest = [file for file in everything if str(file.path) not in unsupported]
    skipped = unsupported | _undecodable(folder, rest, cache)
    readable = {
        split: [file for file in found if str(file.path) not in skipped]
        for split, found in files.items()
    }
    return readable, skipped


def _labelled_files(folder: Path) -> list[LabelledFile]:
    """The images of every class folder; what is passed over or empty is logged."""
    files, passed_over = list[LabelledFile](), list[Path]()
    for class_folder in folders_in(folder):
        images, others = image_files(class_folder)
        files += [LabelledFile(path, class_folder.name) for path in images]
        passed_over += others
        if not images:
            logger.warning("%s has no images: there is no such class", class_folder)
    if passed_over:
        logger.info(
            "%s: %d files that are no images are passed over, the first is %s",
            *(folder, len(passed_over), passed_over[0]),
        )
    return files


def _undecodable(folder: Path, files: Sequence[LabelledFile], cache: JsonCache) -> dict[str, str]:
    """What is wrong with each file that cannot be decoded, by its path."""
    classes = sorted({file.class_name for file in files})
    split = _split(folder, "images", files, classes)
    return {split.describe(n): error for n, error in unreadable_examples(split, cache).items()}


def _split(
    folder: Path,
    split: str,
    files: Sequence[LabelledFile],
    classes: Sequence[str],
    digests: Digests | None = None,
) -> Split:
    labels = np.array([classes.index(file.class_name) for file in files], np.int32)
    paths = [file.path for file in files]
    return files_split(f"{folder.name}/{split}", folder, paths, labels, digests)
