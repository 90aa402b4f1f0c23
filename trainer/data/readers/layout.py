"""The folders of a folder of images: those of its splits, and in each those of the classes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from trainer.core.errors import UserError
from trainer.data import SPLITS
from trainer.data.images.formats import file_error

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
"""How people call the splits, in upper or lower case."""

NO_IMAGE_NAMES = {"thumbs.db", "desktop.ini", "__macosx"}
NO_IMAGE_SUFFIXES = {".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".html"}
"""Files that lie beside images and are passed over; any other that is no image is an error."""

LAYOUT = "PATH/<class>/*.jpg, or PATH/train/<class>/*.jpg with validation and test beside train"
"""For errors."""

logger = logging.getLogger(__name__)


def split_name(name: str) -> str | None:
    """The split that people call so, in upper or lower case."""
    known = {alias: split for split, aliases in SPLIT_NAMES.items() for alias in aliases}
    return known.get(name.lower())


def split_folders(folder: Path) -> dict[str, Path]:
    """The folder of class folders for each split; the whole as train, where it has no splits.

    What is not used is logged.

    Raises:
        UserError: it is not laid out as LAYOUT says; with what was found.
    """
    folders = folders_in(folder)
    of_splits = [path for path in folders if split_name(path.name)]
    if not any(map(folders_in, of_splits)):  # a class may be called "train", and has files
        _check_class_folders(folder, folder)
        return {"train": folder}
    found: dict[str, Path] = {}
    for path in of_splits:
        split = split_name(path.name) or ""
        if split in found:
            raise UserError(
                f"--data {folder}: {found[split]} and {path} are folders of the same split; remove"
                " or rename all but one"
            )
        found[split] = path
        _check_class_folders(folder, path)
    if "train" not in found:
        raise _unexpected(folder, f"there is {_named(of_splits)} and no train")
    if unused := [path for path in folders if path not in of_splits]:
        logger.warning(
            "%s: %s beside %s is not used; expected are train, validation and test",
            *(folder, _named(unused), _named(of_splits)),
        )
    return {split: found[split] for split in SPLITS if split in found}


def image_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of a class folder that should be images, by name, and those passed over."""
    files: dict[bool, list[Path]] = {False: [], True: []}
    for path in _visible(folder):
        files[_is_no_image(path)].append(path)
    return files[False], files[True]


def _check_class_folders(data: Path, folder: Path) -> None:
    """Refuse a folder whose folders are not those of classes.

    Args:
        data: The folder of `--data`.
        folder: The same, or that of a split.

    Raises:
        UserError: it has images and no folders, or folders of folders.
    """
    folders = folders_in(folder)
    images = [path for path in _visible(folder) if path.is_file() and file_error(path) is None]
    if not folders and images:
        raise _unexpected(data, f"there are {len(images):,} images and no folders of classes")
    nested = [path for path in folders if folders_in(path)]
    if folder == data and nested == folders and len(folders) == 1:
        raise UserError(
            f"--data {folder}: the folders of classes are in {nested[0]}; choose --data {nested[0]}"
        )
    if nested:
        raise _unexpected(data, f"there are folders in {nested[0]}, not images alone")


def _unexpected(folder: Path, found: str) -> UserError:
    return UserError(f"--data {folder}: {found}; the layout must be {LAYOUT}")


def _named(paths: Sequence[Path]) -> str:
    return " and ".join(path.name for path in paths)


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, by name."""
    return [
        path
        for path in _visible(folder)
        if path.is_dir() and path.name.lower() not in NO_IMAGE_NAMES
    ]


def _is_no_image(path: Path) -> bool:
    return path.name.lower() in NO_IMAGE_NAMES or path.suffix.lower() in NO_IMAGE_SUFFIXES


def _visible(folder: Path) -> Iterable[Path]:
    # Hidden files are the system's (.DS_Store), not the user's.
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def image_files_below(folder: Path) -> Iterator[Path]:
    """The files in a folder and in those within it that may be images, by name."""
    for path in _visible(folder):
        if _is_no_image(path):
            continue
        if path.is_dir():
            yield from image_files_below(path)
        else:
            yield path
