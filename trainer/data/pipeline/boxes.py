"""Boxes of random size, shape and place within an image: what is cropped, what is erased."""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from trainer.data.pipeline.projection import scale, translation


@dataclasses.dataclass(frozen=True)
class Box:
    """A box within an image: scalars, fractions of the image's height and width."""

    top: tf.Tensor
    left: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor

    @classmethod
    def from_params(
        cls, area: tf.Tensor, ratio: tf.Tensor, x: tf.Tensor, y: tf.Tensor, most: float
    ) -> Box:
        """A box of an area and a shape, at a place where it lies wholly within the image.

        Of boxes that would be longer than the image there are none: given an area, the ratio of
        width to height is drawn, uniformly in its logarithm, from those that fit. torchvision draws
        area and ratio until they do.

        Args:
            area: A fraction of the image's.
            ratio: In [-1, 1): from the highest box to the widest.
            x: In [-1, 1): from the left edge to the right.
            y: In [-1, 1): from the top to the bottom.
            most: The largest ratio of width to height, and of height to width.
        """
        log_ratio = ratio * tf.minimum(math.log(most), -tf.math.log(area))
        width = tf.sqrt(area * tf.exp(log_ratio))
        height = area / width
        return cls((1 - height) * (y + 1) / 2, (1 - width) * (x + 1) / 2, height, width)

    def enlarging_matrix(self, height: int, width: int) -> tf.Tensor:
        """The projection that enlarges the box to an image of so many pixels."""
        right = (0.5 - self.left - self.width / 2) * width
        down = (0.5 - self.top - self.height / 2) * height
        return translation(right, down) @ scale(self.width, self.height)

    def mask(self, height: int, width: int) -> tf.Tensor:
        """Whether the centre of each pixel of an image is in the box, bool [height, width]."""
        rows = (tf.range(height, dtype=tf.float32) + 0.5) / height - self.top
        columns = (tf.range(width, dtype=tf.float32) + 0.5) / width - self.left
        in_rows = (rows >= 0) & (rows < self.height)
        return in_rows[:, None] & ((columns >= 0) & (columns < self.width))
