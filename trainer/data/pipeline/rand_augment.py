"""RandAugment (arXiv 1909.13719): some operations an image, drawn anew for each, of one strength.

The operations and their strengths are those of torchvision, on floats. Of those that move pixels
only the matrix is given, so that all are one projection with the rest of the augmentation, after
the operations that change colours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from trainer.data.pipeline import colours
from trainer.data.pipeline.projection import rotation, skew, translation

MAX_MAGNITUDE = 30.0
"""The magnitudes are those of the paper: from 0 to 30."""

GEOMETRIC = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")

PHOTOMETRIC: dict[str, Callable[[tf.Tensor, tf.Tensor, float], tf.Tensor]] = {
    "brightness": lambda image, factor, _: colours.brighten(image, factor),
    "colour": lambda image, factor, _: colours.colour(image, factor),
    "contrast": lambda image, factor, _: colours.contrast(image, factor),
    "sharpness": lambda image, factor, _: colours.sharpen(image, factor),
    "posterize": lambda image, _, strength: colours.posterize(image, 8 - round(4 * strength)),
    "solarize": lambda image, _, strength: colours.solarize(image, 1 - strength),
    "autocontrast": lambda image, _1, _2: colours.autocontrast(image),
    "equalize": lambda image, _1, _2: colours.equalize(image),
}
"""Each takes an image, a factor around 1 for those that have a direction, and the strength."""

OPERATIONS = ("identity", *GEOMETRIC, *PHOTOMETRIC)


@dataclasses.dataclass(frozen=True)
class RandAugment:
    """The operations of one image."""

    operations: tf.Tensor
    """Numbers in OPERATIONS, int32 [operations]."""

    changes: tf.Tensor
    """The strength of each with its direction, float32 [operations]."""

    strength: float
    """Without it: from 0 to 1."""

    @classmethod
    def from_params(cls, params: tf.Tensor, magnitude: float) -> RandAugment:
        """Operations of two parameters each, float32 [operations, 2] in [-1, 1)."""
        places = (params[:, 0] + 1) / 2 * len(OPERATIONS)
        operations = tf.minimum(tf.cast(places, tf.int32), len(OPERATIONS) - 1)
        strength = magnitude / MAX_MAGNITUDE
        return cls(operations, tf.where(params[:, 1] < 0, -strength, strength), strength)

    def recolour(self, image: tf.Tensor) -> tf.Tensor:
        """The image after the operations that change colours, one after the other; in [0, 1]."""
        count = self.operations.shape[0]
        if count == 0:
            return image

        def apply(number: tf.Tensor, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            factor = 1 + 0.9 * self.changes[number]
            return number + 1, self._recolour(image, self.operations[number], factor)

        # A loop, which XLA compiles once: all branches for each operation would take it long.
        return tf.while_loop(lambda number, _: number < count, apply, (0, image))[1]

    def matrix(self, height: int, width: int) -> tf.Tensor:
        """The projection of the operations that move pixels."""
        pairs = zip(tf.unstack(self.operations), tf.unstack(self.changes), strict=True)
        matrix = tf.eye(3)
        for operation, change in pairs:
            matrix @= _matrix(operation, change, height, width)
        return matrix

    def _recolour(self, image: tf.Tensor, operation: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
        def branch(change: Callable[..., tf.Tensor]) -> Callable[[], tf.Tensor]:
            return lambda: tf.clip_by_value(change(image, factor, self.strength), 0.0, 1.0)

        branches = [lambda: image, *map(branch, PHOTOMETRIC.values())]
        return tf.switch_case(tf.maximum(operation - len(GEOMETRIC), 0), branches)


def _matrix(operation: tf.Tensor, change: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """That of one operation; of one that moves no pixel the identity."""

    def of(name: str, most: float) -> tf.Tensor:
        return tf.where(operation == OPERATIONS.index(name), most * change, 0.0)

    # The largest shift is that of the paper, 150 pixels of 331.
    right, down = of("translate_x", 150 / 331 * width), of("translate_y", 150 / 331 * height)
    slant = skew(of("shear_x", 0.3), of("shear_y", 0.3))
    return rotation(of("rotate", 30.0)) @ translation(right, down) @ slant
