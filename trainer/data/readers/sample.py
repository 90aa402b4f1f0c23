"""The built-in samples: labelled pictures that the program draws, so that no download is needed."""

import importlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.core.cache_folder import DRAWN_SAMPLES
from trainer.core.errors import UserError
from trainer.data import SPLITS

_HELD_OUT_SHARE = 5  # one picture in five for validation, and one in five for the test
_JPEG_QUALITY = 88


@dataclass(frozen=True)
class Sample:
    """Pictures of one kind that the program can draw."""

    version: int
    """Raised whenever the drawing changes: kept pictures are found by it."""
    classes: tuple[str, ...]
    examples: int
    """How many pictures by default, all splits together."""
    drawing: str
    """The module whose `draw(class, random)` gives a picture; imported only when drawing."""


SAMPLES: dict[str, Sample] = {
    "flowers": Sample(
        version=1,
        classes=("dandelion", "daisy", "tulips", "sunflowers", "roses"),
        examples=1000,
        drawing="tools.samples.flowers",
    ),
    "horses": Sample(
        version=1,
        classes=("horses", "humans"),
        examples=600,
        drawing="tools.samples.horses",
    ),
    "rendered_horses": Sample(
        version=1,
        classes=("horses", "humans"),
        examples=800,
        drawing="tools.samples.rendered",
    ),
    "dogs": Sample(
        version=1,
        classes=(
            "beagle",
            "border_collie",
            "chihuahua",
            "dachshund",
            "dalmatian",
            "german_shepherd",
            "golden_retriever",
            "greyhound",
            "poodle",
            "pug",
            "saint_bernard",
            "siberian_husky",
        ),
        examples=1500,
        drawing="tools.samples.dogs",
    ),
    "digits": Sample(
        version=1,
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        examples=3000,
        drawing="tools.samples.digits",
    ),
    "fashion": Sample(
        version=1,
        classes=(
            "T-shirt_top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle_boot",
        ),
        examples=2000,
        drawing="tools.samples.fashion",
    ),
}


@dataclass(frozen=True)
class _Picture:
    """One picture to draw: number `number` of a class in a split, each counted from 0."""

    split: int
    label: int
    number: int


def sample_folder(
    name: str,
    cache_dir: Path,
    examples: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Path:
    """The folder {train,validation,test}/<class>/*.jpg of the sample's pictures.

    Kept pictures are found again by the sample's version and the number of examples; otherwise
    they are drawn now, and `report(done, total)` is called after each. The folder appears whole
    or not at all, however the drawing ends and however many processes draw it at once.
    """
    sample = SAMPLES[name]
    count = sample.examples if examples is None else examples
    _check_enough(name, sample, count)
    kept = cache_dir / DRAWN_SAMPLES / f"{name}-v{sample.version}-{count}"
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{kept.name}-", dir=kept.parent) as workshop:
            drawn = Path(workshop) / "pictures"
            _draw_all(sample, count, drawn, report)
            _publish(drawn, kept)
    return kept


def _check_enough(name: str, sample: Sample, count: int) -> None:
    classes = len(sample.classes)
    least = classes * _HELD_OUT_SHARE
    if count < least:
        raise UserError(
            f"--sample-examples must be at least {least} "
            f"for the {classes} classes of the {name} sample; got {count}"
        )


def _draw_all(
    sample: Sample, count: int, folder: Path, report: Callable[[int, int], None] | None
) -> None:
    for done, picture in enumerate(_pictures(sample, count), start=1):
        _draw_one(sample, picture, folder)
        if report is not None:
            report(done, count)


def _pictures(sample: Sample, count: int) -> Iterator[_Picture]:
    """Every picture of the sample; in each split the classes differ by at most one in number."""
    held_out = count // _HELD_OUT_SHARE
    classes = len(sample.classes)
    for split, size in enumerate((count - 2 * held_out, held_out, held_out)):
        for place in range(size):
            yield _Picture(split, label=place % classes, number=place // classes)


def _draw_one(sample: Sample, picture: _Picture, folder: Path) -> None:
    import numpy as np

    draw = importlib.import_module(sample.drawing).draw
    label = sample.classes[picture.label]
    seed = [sample.version, picture.split, picture.label, picture.number]
    path = folder / SPLITS[picture.split] / label / f"{picture.number:04d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(label, np.random.default_rng(seed)).save(path, quality=_JPEG_QUALITY)


def _publish(drawn: Path, kept: Path) -> None:
    """Moves the finished folder to its place, unless another process was there first."""
    try:
        drawn.rename(kept)
    except OSError:
        if not kept.is_dir():
            raise
