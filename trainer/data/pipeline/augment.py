"""Augmentation: training images as other photos of the same things might show them.

Each image is brightened and then moved, by one projective transform. What becomes of it follows
from the seed, the epoch and its position in the split, and from nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Literal

import tensorflow as tf

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.data.pipeline.projection import Fill, projected, rotation, scale, shear, shift

DRAWS = (
    "rotation",
    "width_shift",
    "height_shift",
    "shear",
    "width_zoom",
    "height_zoom",
    "horizontal_flip",
    "vertical_flip",
    "brightness",
    "contrast",
)
"""What is drawn for an image, always all of it: to turn one part off changes no other."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far images are varied at most, either way; drawn evenly for each.

    The parts are those of Keras' ImageDataGenerator, and move a square image as its own do: turned,
    shifted, slanted, zoomed, mirrored, in this order. It has no contrast; its `shear_range` is in
    degrees too, though often given as if in radians; its `brightness_range` is (1 - b, 1 + b) of
    our b; and its `width_shift_range` moves up and down, its `height_shift_range` sideways (3.15).
    """

    rotation: float = 0.0
    """Degrees."""

    width_shift: float = 0.0
    """A share of the width."""

    height_shift: float = 0.0
    """A share of the height."""

    shear: float = 0.0
    """Degrees."""

    zoom: float = 0.0
    """A share of the size, drawn for width and height apart."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """Which ways an image is mirrored, half of the time each."""

    brightness: float = 0.0
    """A share of the brightness."""

    contrast: float = 0.0
    """A share of each pixel's distance from its channel's mean, as `tf.image.adjust_contrast`."""

    fill: Fill = "nearest"
    """What shows where an image was moved away."""

    @property
    def moves(self) -> bool:
        """Whether any pixel changes its place."""
        shifted = self.rotation or self.width_shift or self.height_shift
        return bool(shifted or self.shear or self.zoom or self.flip != "none")

    @property
    def colours(self) -> bool:
        """Whether any pixel changes its brightness where it is."""
        return bool(self.brightness or self.contrast)


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

VARYING = "brightened, contrasted, projected bilinearly, clipped"
"""What becomes of an image, in words: changed whenever the pixels that come out change."""


def augmentation_from_config(config: Config) -> Augmentation | None:
    """The preset of `--augment`, with each part that is given by number; None where none varies.

    Raises:
        UserError: copies are asked for, of images that nothing varies.
    """
    parts = [field.name for field in dataclasses.fields(Augmentation)]
    given = {part: getattr(config, part) for part in parts if getattr(config, part) is not None}
    augmentation = dataclasses.replace(PRESETS[config.augment], **given)
    if augmentation.moves or augmentation.colours:
        return augmentation
    if config.augment_copies:
        raise UserError(
            f"--augment-copies {config.augment_copies} would be so many equal copies; say how"
            " they vary: --augment light, or a part by number"
        )
    return None


@dataclasses.dataclass(frozen=True)
class EpochAugmentation:
    """All images of a split as one epoch shows them."""

    augmentation: Augmentation
    seed: int
    epoch: int

    def __call__(self, image: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """The image at a position of the split, varied: float32 [height, width, channels]."""
        return _compiled(self.augmentation)(image, self.draws(position))

    def draws(self, position: tf.Tensor) -> tf.Tensor:
        """What is drawn for the example at a position of the split: float32 [DRAWS] in [-1, 1)."""
        seed = tf.random.experimental.stateless_fold_in([self.seed, self.epoch], position)
        return tf.random.stateless_uniform([len(DRAWS)], seed, -1.0, 1.0, alg="philox")

    @property
    def identity(self) -> dict[str, object]:
        """Everything that shapes it, as JSON takes it."""
        return {"varying": VARYING, **dataclasses.asdict(self)}


@functools.cache
def _compiled(augmentation: Augmentation) -> tf.types.experimental.GenericFunction:
    """`augmented` as one XLA program, however many epochs call it."""
    return tf.function(lambda image, draws: augmented(image, draws, augmentation), jit_compile=True)


def augmented(image: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """An image varied as it has been drawn.

    Args:
        image: float32 [height, width, channels] in [0, 1]. The same comes out.
        draws: float32 [DRAWS] from -1, a part's utmost one way, to 1, its utmost the other: 1 is
            counterclockwise, to the right, down, smaller, brighter, of more contrast. A draw below
            0 mirrors.
        augmentation: How far each part goes.
    """
    drawn = dict(zip(DRAWS, tf.unstack(draws), strict=True))
    # Coloured first: else XLA would project an image twice, once for its means.
    if augmentation.brightness:
        image *= 1 + augmentation.brightness * drawn["brightness"]
    if augmentation.contrast:
        means = tf.reduce_mean(image, axis=[0, 1])
        image = means + (image - means) * (1 + augmentation.contrast * drawn["contrast"])
    if augmentation.moves:
        matrix = _matrix(drawn, augmentation, *image.shape[:2])
        image = projected(image, matrix, augmentation.fill)
    return tf.clip_by_value(image, 0.0, 1.0)


def _matrix(drawn: dict[str, tf.Tensor], most: Augmentation, height: int, width: int) -> tf.Tensor:
    width_scale = 1 + most.zoom * drawn["width_zoom"]
    height_scale = 1 + most.zoom * drawn["height_zoom"]
    if most.flip in ("horizontal", "both"):
        width_scale *= _mirror(drawn["horizontal_flip"])
    if most.flip in ("vertical", "both"):
        height_scale *= _mirror(drawn["vertical_flip"])
    right = most.width_shift * width * drawn["width_shift"]
    down = most.height_shift * height * drawn["height_shift"]
    moved = rotation(most.rotation * drawn["rotation"]) @ shift(right, down)
    return moved @ shear(most.shear * drawn["shear"]) @ scale(width_scale, height_scale)


def _mirror(draw: tf.Tensor) -> tf.Tensor:
    return tf.where(draw < 0, -1.0, 1.0)
