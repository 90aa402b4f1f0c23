"""Random augmentation of training images: brightness and contrast, then one projective transform.

What is drawn for an image depends on the seed, the epoch and its position in the split only.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Literal

import tensorflow as tf

from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.data.pipeline.projection import Fill, project, rotation, scale, shear, translation

PARAMS = (
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
"""The random parameters of an image. All are always drawn: turning one off changes no other."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The largest change of an image, in either direction; drawn uniformly for each image.

    The options are those of Keras' ImageDataGenerator, and transform a square image as they do:
    rotation, shift, shear, zoom, flip, in this order. It has no contrast; its `shear_range` is in
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
        if augmentation.is_geometric or augmentation.is_photometric:
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
        return bool(shifted or self.shear or self.zoom or self.flip != "none")

    @property
    def is_photometric(self) -> bool:
        """Whether it changes the values of pixels where they are."""
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

ALGORITHM = "brightened, contrasted, projected bilinearly, clipped"
"""Part of the key of cached features: to be changed whenever the resulting pixels change."""


@dataclasses.dataclass(frozen=True)
class EpochAugmentation:
    """The augmentation of a split's images in one epoch."""

    augmentation: Augmentation
    seed: int
    epoch: int

    def __call__(self, image: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """The augmented image of a position in the split, float32 [height, width, channels]."""
        return _compiled(self.augmentation)(image, self.sample_params(position))

    def sample_params(self, position: tf.Tensor) -> tf.Tensor:
        """The random parameters of a position in the split, float32 [PARAMS] in [-1, 1)."""
        seed = tf.random.experimental.stateless_fold_in([self.seed, self.epoch], position)
        return tf.random.stateless_uniform([len(PARAMS)], seed, -1.0, 1.0, alg="philox")

    @property
    def identity(self) -> dict[str, object]:
        """All that determines it, for JSON."""
        return {"algorithm": ALGORITHM, **dataclasses.asdict(self)}


@functools.cache
def _compiled(augmentation: Augmentation) -> tf.types.experimental.GenericFunction:
    """`augment` as one XLA program for all epochs."""
    return tf.function(lambda image, params: augment(image, params, augmentation), jit_compile=True)


def augment(image: tf.Tensor, params: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """The augmented image for given parameters; same shape, dtype and range.

    Args:
        image: float32 [height, width, channels] in [0, 1].
        params: float32 [PARAMS] in [-1, 1], the fraction of each largest change. 1 is
            counterclockwise, right, down, smaller, brighter, more contrast; below 0 a flip flips.
        augmentation: The largest change of each.
    """
    param = dict(zip(PARAMS, tf.unstack(params), strict=True))
    # Brightness and contrast first: else XLA would project an image twice, once for its means.
    if augmentation.brightness:
        image *= 1 + augmentation.brightness * param["brightness"]
    if augmentation.contrast:
        means = tf.reduce_mean(image, axis=[0, 1])
        image = means + (image - means) * (1 + augmentation.contrast * param["contrast"])
    if augmentation.is_geometric:
        matrix = _matrix(param, augmentation, *image.shape[:2])
        image = project(image, matrix, augmentation.fill)
    return tf.clip_by_value(image, 0.0, 1.0)


def _matrix(param: dict[str, tf.Tensor], most: Augmentation, height: int, width: int) -> tf.Tensor:
    width_scale = 1 + most.zoom * param["width_zoom"]
    height_scale = 1 + most.zoom * param["height_zoom"]
    if most.flip in ("horizontal", "both"):
        width_scale *= _flip_sign(param["horizontal_flip"])
    if most.flip in ("vertical", "both"):
        height_scale *= _flip_sign(param["vertical_flip"])
    right = most.width_shift * width * param["width_shift"]
    down = most.height_shift * height * param["height_shift"]
    rigid = rotation(most.rotation * param["rotation"]) @ translation(right, down)
    return rigid @ shear(most.shear * param["shear"]) @ scale(width_scale, height_scale)


def _flip_sign(param: tf.Tensor) -> tf.Tensor:
    return tf.where(param < 0, -1.0, 1.0)
