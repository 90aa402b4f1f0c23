"""Files cut into splits by what is in them: neither a name nor the order of files has a say.

A picture is its bytes. All its copies, under whatever names and labels, are in one split. Within a
class pictures are ranked by their SHA-256, a shuffle that hangs on nothing else: the first 70 % of
the ranks train, the next 15 % validate, the last 15 % test. One picture more or less moves the two
borders by a rank at most and all others stay where they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

HELD_OUT = {"validation": 15, "test": 15}
"""The percent of the data that a split gets which the data do not have themselves."""


@dataclasses.dataclass(frozen=True)
class LabelledFile:
    """One image file and the class folder it lies in."""

    path: Path
    class_name: str


def shares(missing: Collection[str]) -> dict[str, int]:
    """The percent of its pictures that train keeps, and that each missing split takes from it."""
    taken = {split: percent for split, percent in HELD_OUT.items() if split in missing}
    return {"train": 100 - sum(taken.values()), **taken}


def partition(
    files: Sequence[LabelledFile], digests: Sequence[bytes], missing: Collection[str]
) -> dict[str, list[LabelledFile]]:
    """The files of train, and of the missing splits cut from it, in the order of their contents.

    Every class is in all of these splits, as far as it has a picture for each.

    Args:
        files: All there is to cut.
        digests: The SHA-256 of each.
        missing: Which of validation and test to cut.
    """
    pictures: dict[str, set[bytes]] = {}
    for file, digest in zip(files, digests, strict=True):
        pictures.setdefault(file.class_name, set()).add(digest)
    places = places_of(pictures.values(), shares(missing))
    parts: dict[str, list[LabelledFile]] = {split: [] for split in shares(missing)}
    for digest, file in sorted(zip(digests, files, strict=True), key=_by_content):
        parts[places[digest]].append(file)
    return parts


def places_of(
    classes: Collection[Collection[bytes]], percents: Mapping[str, int]
) -> dict[bytes, str]:
    """The split of each picture, given the digests of every class and the percent of every split.

    The rarest class is cut first. A picture that a class shares with a rarer one has its place
    already; the rest of the class makes up for it.
    """
    places: dict[bytes, str] = {}
    for pictures in sorted(map(sorted, classes), key=lambda pictures: (len(pictures), pictures)):
        free = [picture for picture in pictures if picture not in places]
        placed = [places[picture] for picture in pictures if picture in places]
        wanted = quotas(len(pictures), _served(percents, pictures[0]))
        lacking = {split: max(0, wanted[split] - placed.count(split)) for split in percents}
        places.update(zip(free, _blocks(len(free), lacking), strict=True))
    return places


def _served(percents: Mapping[str, int], first_picture: bytes) -> dict[str, int]:
    """Splits in an order that is the other way round for half of the classes.

    Of ten pictures one validates and two test, or two and one: over many classes it evens out.
    """
    train, *held_out = percents
    if first_picture[-1] % 2:
        held_out.reverse()
    return {split: percents[split] for split in (train, *held_out)}


def quotas(count: int, percents: Mapping[str, int]) -> dict[str, int]:
    """How many of so many pictures each split gets: its share, but one while there are enough.

    The last split is served first and the first, which trains, has what is left over.
    """
    left, found = count, {}
    for before, split in reversed(list(enumerate(percents))):
        remaining_percent = sum(list(percents.values())[: before + 1])
        share = max(1, round(left * percents[split] / remaining_percent))
        found[split] = max(0, min(share, left - before))
        left -= found[split]
    return {split: found[split] for split in percents}


def _blocks(count: int, lacking: Mapping[str, int]) -> list[str]:
    """The split of each rank: those held out take what they lack, the first split all others."""
    train, *held_out = lacking
    tail = [split for split in held_out for _ in range(lacking[split])]
    kept = tail[max(0, len(tail) - count) :]
    return [train] * (count - len(kept)) + kept


def _by_content(pair: tuple[bytes, LabelledFile]) -> tuple[bytes, str, Path]:
    digest, file = pair
    return digest, file.class_name, file.path  # under two labels a picture is two examples
