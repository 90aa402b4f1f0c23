"""How training images are augmented: by how much at most, in presets and part by part."""

from __future__ import annotations

import dataclasses
from typing import Literal

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.data.pipeline.projection import Fill


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The largest change of an image, in either direction; drawn uniformly for each image.

    In this order: brightness, contrast, hue and saturation, the colours of RandAugment; one
    projection, of the crop, the movements of RandAugment, and rotation, shift, shear, zoom and
    flip; erasing. It is the resized image that is cropped: details which the resizing has lost do
    not come back.

    Rotation, shift, shear, zoom, flip and brightness are options of Keras' ImageDataGenerator, and
    transform a square image as they do, in their order. Its `shear_range` is in
    degrees too, though often given as if in radians; its `brightness_range` is (1 - b, 1 + b) of
    our b; and its `width_shift_range` moves up and down, its `height_shift_range` sideways (3.15).
    """

    rotation: float = 0.0
    """Degrees."""

    width_shift: float = 0.0
    """A fraction of the width."""

    height_shift: float = 0.0
    """A fraction of the height."""

    shear: float = 0.0
    """Degrees."""

    zoom: float = 0.0
    """A fraction of the size, drawn separately for width and height."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """The directions in which an image is flipped, each with probability 1/2."""

    brightness: float = 0.0
    """A fraction of the brightness."""

    contrast: float = 0.0
    """A fraction of a pixel's distance from its channel's mean, as `tf.image.adjust_contrast`."""

    hue: float = 0.0
    """A fraction of the circle of hues, as `tf.image.adjust_hue`; grey images have none."""

    saturation: float = 0.0
    """A fraction of the saturation, as `tf.image.adjust_saturation`; grey images have none."""

    crop: float = 1.0
    """The least area that a crop keeps, a fraction of the image's, drawn between it and 1; the
    sides have a ratio of up to 4/3. 1 crops nothing."""

    rand_augment: int = 0
    """The operations of RandAugment for each image."""

    rand_magnitude: float = 9.0
    """How strong these are, from 0 to 30."""

    erasing: float = 0.0
    """The probability with which a box of an image is replaced by noise (arXiv 1708.04896)."""

    fill: Fill = "nearest"
    """The pixels beyond an image's edges."""

    @classmethod
    def from_config(cls, config: Config) -> Augmentation | None:
        """The preset of `--augment`, with the options that are given; None if it changes nothing.

        Raises:
            UserError: augmented copies are asked for, without any augmentation.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        given = {name: getattr(config, name) for name in names if getattr(config, name) is not None}
        augmentation = dataclasses.replace(PRESETS[config.augment], **given)
        if augmentation.changes_images:
            return augmentation
        if config.augment_copies:
            raise UserError(
                f"--augment-copies {config.augment_copies} would make equal copies; choose how to"
                " augment them: --augment light, or an option such as --rotation"
            )
        return None

    @property
    def is_geometric(self) -> bool:
        """Whether it moves pixels."""
        shifted = self.rotation or self.width_shift or self.height_shift
        drawn = self.crop < 1 or self.rand_augment
        return bool(shifted or self.shear or self.zoom or self.flip != "none" or drawn)

    @property
    def changes_images(self) -> bool:
        """Whether it does anything."""
        coloured = self.brightness or self.contrast or self.hue or self.saturation
        return bool(self.is_geometric or coloured or self.erasing)


PRESETS = {
    "none": Augmentation(),
    "light": Augmentation(
        rotation=10.0, width_shift=0.05, height_shift=0.05, zoom=0.1, flip="horizontal"
    ),
    "standard": Augmentation(
        rotation=20.0,
        width_shift=0.1,
        height_shift=0.1,
        shear=5.0,
        zoom=0.2,
        flip="horizontal",
        brightness=0.1,
        contrast=0.1,
    ),
    "strong": Augmentation(
        rotation=40.0,
        width_shift=0.2,
        height_shift=0.2,
        shear=10.0,
        zoom=0.3,
        flip="horizontal",
        brightness=0.3,
        contrast=0.3,
    ),
}
"""By their names in `--augment`."""
