"""The views of test-time augmentation: each changes all images alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from trainer.config.config import Config
from trainer.data.pipeline.augment import PARAMS, EpochAugmentation
from trainer.data.pipeline.augmentation import PRESETS, Augmentation


@dataclasses.dataclass(frozen=True)
class View(EpochAugmentation):
    """The augmentation of the seed and the view's number, `epoch`, for every image the same.

    So what is predicted of an image does not depend on the others.
    """

    is_mirror: bool = False
    """Whether it flips every image, and does nothing else."""

    def sample_params(self, position: tf.Tensor) -> tf.Tensor:
        """The parameters of the view, whatever the position."""
        if self.is_mirror:
            return tf.where([name == "horizontal_flip" for name in PARAMS], -1.0, 0.0)
        return super().sample_params(tf.zeros_like(position))

    @property
    def identity(self) -> dict[str, object]:
        """All that determines it, for JSON."""
        return {**super().identity, "view": True}


def views(config: Config, count: int) -> Sequence[View | None]:
    """The views whose scores are averaged, the first of which, None, is the image as it is.

    Of a run that was trained on augmented images the others are augmented in the same way, but
    nothing is erased; of any other run the second is flipped left to right, and those behind it
    have the light augmentation.

    Args:
        config: The run's.
        count: How many; 1 is the image alone.
    """
    own = Augmentation.from_config(config)
    own = None if own is None else dataclasses.replace(own, erasing=0.0)
    if own is not None and own.changes_images:
        return [None, *(View(own, config.seed, number) for number in range(1, count))]
    mirror = View(Augmentation(flip="horizontal"), config.seed, 1, is_mirror=True)
    light = (View(PRESETS["light"], config.seed, number) for number in range(2, count))
    return [None, mirror, *light][:count]
