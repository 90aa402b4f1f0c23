"""Options of augmentation: a preset, and each part of it by number."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from trainer.config.bounds import AtLeast, Between, Options, below_one, flag
from trainer.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentationOptions(Options):
    """How training images are augmented and mixed."""

    augment: Literal["none", "light", "standard", "strong"] = "none"
    """Augment training images, differently in every epoch: rotated by up to 10 degrees (light), 20
    (standard) or 40 (strong), and everything else to match."""

    augment_copies: Annotated[int, AtLeast(0)] = 0
    """With a frozen extractor, or --unfreeze-from: cache the features of this many augmented copies
    of each image, instead of extracting new ones in every epoch."""

    rotation: Annotated[float | None, Between(0, 180)] = None
    """Rotate by up to this many degrees either way; as in the preset when not given, like all
    below."""

    width_shift: Annotated[float | None, Between(0, 1)] = None
    """Shift by up to this fraction of the width either way."""

    height_shift: Annotated[float | None, Between(0, 1)] = None
    """Shift by up to this fraction of the height either way."""

    shear: Annotated[float | None, Between(0, 89)] = None
    """Shear by up to this many degrees either way."""

    zoom: Annotated[float | None, below_one] = None
    """Zoom in or out by up to this fraction."""

    flip: Literal["none", "horizontal", "vertical", "both"] | None = None
    """Flip half of the images, in this direction."""

    brightness: Annotated[float | None, Between(0, 1)] = None
    """Brighten or darken by up to this fraction."""

    contrast: Annotated[float | None, Between(0, 1)] = None
    """Raise or lower the contrast by up to this fraction."""

    hue: Annotated[float | None, Between(0, 0.5)] = None
    """Turn the hues by up to this fraction of their circle either way: 0.1 is usual."""

    saturation: Annotated[float | None, Between(0, 1)] = None
    """Raise or lower the saturation by up to this fraction."""

    crop: Annotated[float | None, Between(0.01, 1)] = None
    """Random resized crop: keep this fraction of the image's area at least, 0.5 for example, and
    enlarge it to the whole; 1 crops nothing."""

    rand_augment: Annotated[int | None, Between(0, 14)] = None
    """RandAugment (arXiv 1909.13719): this many of its operations an image; 2 is usual, 0 turns it
    off."""

    rand_magnitude: Annotated[float | None, Between(0, 30)] = None
    """How strong the operations of RandAugment are, from 0 to 30; 9 when not given."""

    erasing: Annotated[float | None, Between(0, 1)] = None
    """Random erasing (arXiv 1708.04896): the probability with which a box of an image is replaced
    by noise; 0.25 is usual."""

    fill: Literal["nearest", "reflect", "constant"] | None = None
    """What fills the border of a moved image: its edge pixels, its mirror image, or black."""

    mixup: Annotated[float, Between(0, 1000)] = 0.0
    """The alpha of MixUp (arXiv 1710.09412): 0.2 is usual, 0 turns it off."""

    cutmix: Annotated[float, Between(0, 1000)] = 0.0
    """The alpha of CutMix (arXiv 1905.04899): 1 is usual, 0 turns it off."""

    def __post_init__(self) -> None:
        """Check each option, then whether those given work together.

        Raises:
            UserError: naming the option.
        """
        super().__post_init__()
        for option in ("mixup", "cutmix"):
            if self.augment_copies and getattr(self, option):
                raise UserError(
                    f"--augment-copies caches features, and {flag(option)} mixes images; omit one"
                )


def check_augment_copies(augment_copies: int, has_frozen_part: bool) -> None:
    """Refuse `--augment-copies` where there are no features to cache.

    Raises:
        UserError: saying what it needs.
    """
    if augment_copies and not has_frozen_part:
        raise UserError(
            "--augment-copies needs a frozen extractor, or --unfreeze-from, whose features it"
            " caches; omit it, and images are augmented again in every epoch"
        )
