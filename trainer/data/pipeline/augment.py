"""Random augmentation of training images: colours, then one projective transform, then erasing.

What is drawn for an image depends on the seed, the epoch and its position in the split only.
"""

from __future__ import annotations

import dataclasses
import functools

import tensorflow as tf

from trainer.data.pipeline.augmentation import Augmentation
from trainer.data.pipeline.boxes import Box
from trainer.data.pipeline.colours import adjust_hue_and_saturation
from trainer.data.pipeline.projection import project, rotation, scale, shear, translation
from trainer.data.pipeline.rand_augment import RandAugment

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
    "crop_area",
    "crop_ratio",
    "crop_x",
    "crop_y",
    "hue",
    "saturation",
    "erasing",
    "erasing_area",
    "erasing_ratio",
    "erasing_x",
    "erasing_y",
    "erasing_noise",
)
"""The random parameters of an image. All are always drawn: turning one off changes no other. Two
for each operation of RandAugment stand behind them."""

CROP_RATIO = 4 / 3
"""The largest ratio of the sides of a crop, as in torchvision."""

ERASED_AREA = (0.02, 0.4)
"""The least and the most of an image that is erased, a fraction; with the ratio as in the paper."""

ERASED_RATIO = 10 / 3


ALGORITHM = "brightened, contrasted, projected bilinearly, clipped"
"""Part of the key of cached features: to be changed whenever the resulting pixels change."""


@dataclasses.dataclass(frozen=True)
class EpochAugmentation:
    """The augmentation of a split's images in one epoch."""

    augmentation: Augmentation
    seed: int
    epoch: int | tf.Tensor
    """int32, where it is a tensor."""

    def __call__(self, image: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """The augmented image of a position in the split, float32 [height, width, channels]."""
        return _compiled(self.augmentation)(image, self.sample_params(position))

    def sample_params(self, position: tf.Tensor) -> tf.Tensor:
        """The random parameters of a position in the split, float32 [parameters] in [-1, 1)."""
        seed = tf.random.experimental.stateless_fold_in([self.seed, self.epoch], position)
        # The first numbers stay the same when more are drawn.
        count = len(PARAMS) + 2 * self.augmentation.rand_augment
        return tf.random.stateless_uniform([count], seed, -1.0, 1.0, alg="philox")

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
        params: float32 [parameters] in [-1, 1), the fraction of each largest change. 1 is
            counterclockwise, right, down, smaller, brighter, more contrast, on in the circle of
            hues, more saturation; of a crop and of what is erased the largest, the widest, at the
            right, at the bottom. Below 0 a flip flips.
        augmentation: The largest change of each.
    """
    param = dict(zip(PARAMS, tf.unstack(params[: len(PARAMS)]), strict=True))
    of_operations = tf.reshape(params[len(PARAMS) :], [augmentation.rand_augment, 2])
    operations = RandAugment.from_params(of_operations, augmentation.rand_magnitude)
    # Colours first: else XLA would project an image twice, once for its means.
    image = operations.recolour(_recoloured(image, param, augmentation))
    if augmentation.is_geometric:
        matrix = _matrix(param, augmentation, operations, *image.shape[:2])
        image = project(image, matrix, augmentation.fill)
    return _erased(tf.clip_by_value(image, 0.0, 1.0), param, augmentation)


def _recoloured(image: tf.Tensor, param: dict[str, tf.Tensor], most: Augmentation) -> tf.Tensor:
    if most.brightness:
        image *= 1 + most.brightness * param["brightness"]
    if most.contrast:
        means = tf.reduce_mean(image, axis=[0, 1])
        image = means + (image - means) * (1 + most.contrast * param["contrast"])
    if most.hue or most.saturation:
        image = adjust_hue_and_saturation(
            tf.clip_by_value(image, 0.0, 1.0),
            most.hue * param["hue"],
            1 + most.saturation * param["saturation"],
        )
    return tf.clip_by_value(image, 0.0, 1.0) if most.rand_augment else image


def _matrix(
    param: dict[str, tf.Tensor],
    most: Augmentation,
    operations: RandAugment,
    height: int,
    width: int,
) -> tf.Tensor:
    width_scale = 1 + most.zoom * param["width_zoom"]
    height_scale = 1 + most.zoom * param["height_zoom"]
    if most.flip in ("horizontal", "both"):
        width_scale *= _flip_sign(param["horizontal_flip"])
    if most.flip in ("vertical", "both"):
        height_scale *= _flip_sign(param["vertical_flip"])
    right = most.width_shift * width * param["width_shift"]
    down = most.height_shift * height * param["height_shift"]
    rigid = rotation(most.rotation * param["rotation"]) @ translation(right, down)
    matrix = rigid @ shear(most.shear * param["shear"]) @ scale(width_scale, height_scale)
    if most.rand_augment:
        matrix = operations.matrix(height, width) @ matrix
    if most.crop < 1:
        area = most.crop + (1 - most.crop) * _from_0_to_1(param["crop_area"])
        box = _box(param, "crop", area, CROP_RATIO)
        matrix = box.enlarging_matrix(height, width) @ matrix
    return matrix


def _erased(image: tf.Tensor, param: dict[str, tf.Tensor], most: Augmentation) -> tf.Tensor:
    if not most.erasing:
        return image
    least, largest = ERASED_AREA
    area = least + (largest - least) * _from_0_to_1(param["erasing_area"])

    def with_noise() -> tf.Tensor:
        box = _box(param, "erasing", area, ERASED_RATIO)
        seed = tf.stack([tf.bitcast(param["erasing_noise"], tf.int32), 0])
        noise = tf.random.stateless_uniform(image.shape, seed, alg="threefry")  # quick in XLA
        return tf.where(box.mask(*image.shape[:2])[..., None], noise, image)

    is_erased = _from_0_to_1(param["erasing"]) < most.erasing
    return tf.cond(is_erased, with_noise, lambda: image)


def _box(param: dict[str, tf.Tensor], what: str, area: tf.Tensor, ratio: float) -> Box:
    x, y = param[f"{what}_x"], param[f"{what}_y"]
    return Box.from_params(area, param[f"{what}_ratio"], x, y, ratio)


def _from_0_to_1(param: tf.Tensor) -> tf.Tensor:
    return (param + 1) / 2


def _flip_sign(param: tf.Tensor) -> tf.Tensor:
    return tf.where(param < 0, -1.0, 1.0)
