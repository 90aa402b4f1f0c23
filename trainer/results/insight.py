"""`--feature-maps` and `--grad-cam`: what a trained network looks at, in TensorBoard."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import keras
import matplotlib
import numpy as np
import tensorflow as tf

from trainer.config.transfer import Resize
from trainer.data.pipeline.batches import decode_and_resize
from trainer.data.splits import Split
from trainer.data.thumbnails import encoded_images
from trainer.evaluation.mistakes import example_lines, mistakes
from trainer.evaluation.outputs import Output
from trainer.extractors.inner_maps import Maps, grad_cam, inner_maps
from trainer.report.figures.gallery import image_grid
from trainer.report.summaries import Summaries

logger = logging.getLogger(__name__)

SHOWN_IMAGES = 8
"""Half of them mistakes."""

SHOWN_LAYERS, SHOWN_CHANNELS = 6, 16
CELL_SIDE = 112
"""Pixels."""

DARKEST = 0.2
"""What is left of the light where an image does not speak for its class."""


class Insight:
    """Shows what the layers from images to logits make of some images of the test split."""

    def __init__(
        self,
        layers: Sequence[keras.layers.Layer],
        image_shape: tuple[int, int],
        resize: Resize,
        test: Split,
        name: str,
        output: Output,
    ) -> None:
        """Read the images.

        Args:
            layers: One behind the other.
            image_shape: Side of their images in pixels, and channels: 3 for RGB, 1 for grey.
            resize: How images become squares.
            test: The images.
            name: Of the output that is shown; "" of a single one.
            output: What the layers give for the images.
        """
        self._layers, self._name, self._output = layers, name, output
        size, channels = image_shape
        self._places = _shown_places(output)
        self._images = tf.stack(
            [
                decode_and_resize(tf.constant(encoded), size, channels, resize)
                for encoded in encoded_images(test, self._places)
            ]
        )

    def write_feature_maps(self, summaries: Summaries, step: int) -> None:
        """The first channels of some layers, of the first image, a picture a layer.

        Raises:
            UserError: they cannot be written.
        """
        maps = inner_maps(self._layers, self._images[:1])
        if not maps:
            logger.warning("--feature-maps: the network shows no inner maps; nothing is written")
        for name, found in _some_layers(maps).items():
            cells = [_shades(found[0, :, :, n].numpy()) for n in range(found.shape[3])]
            shown = cells[:SHOWN_CHANNELS]
            captions = [f"{name} {number}" for number in range(len(shown))]
            png = image_grid(shown, captions, columns=8)
            summaries.write_image("test", step, f"feature_maps/{name}", png)

    def write_grad_cam(self, summaries: Summaries, step: int) -> None:
        """What speaks for the predicted class, over every image.

        Raises:
            UserError: it cannot be written.
        """
        predicted = tf.constant(self._output.scores[self._places].argmax(axis=1))

        def score(logits: Any) -> tf.Tensor:
            of_output = logits[self._name] if isinstance(logits, dict) else logits
            return tf.gather(of_output, predicted, axis=1, batch_dims=1)

        heat = grad_cam(self._layers, self._images, score)
        if heat is None:
            logger.warning("--grad-cam: the network shows no maps before the head; choose another")
            return
        cells = [_spotlit(*pair) for pair in zip(self._images.numpy(), heat.numpy(), strict=True)]
        captions = ["\n".join(example_lines(self._output, place)) for place in self._places]
        summaries.write_image("test", step, "grad_cam", image_grid(cells, captions))


def _shown_places(output: Output) -> list[int]:
    """The worst mistakes, and as many that are right, from all over the split."""
    wrong = mistakes(output)[: SHOWN_IMAGES // 2]
    right = np.setdiff1d(np.arange(output.examples), mistakes(output))
    if len(right):
        right = right[np.linspace(0, len(right) - 1, SHOWN_IMAGES - len(wrong)).astype(int)]
    return [int(place) for place in (*wrong, *np.unique(right))]


def _some_layers(maps: Maps) -> Maps:
    if not maps:
        return {}
    names = list(maps)
    places = np.unique(np.linspace(0, len(names) - 1, SHOWN_LAYERS).astype(int))
    return {names[place]: maps[names[place]] for place in places}


def _shades(values: np.ndarray) -> np.ndarray:
    """A map as a picture uint8 [side, side, 3], from its lowest value to its highest."""
    low, high = values.min(), values.max()
    scaled = (values - low) / max(high - low, 1e-9)
    large = tf.image.resize(scaled[..., None], [CELL_SIDE, CELL_SIDE], method="nearest")
    return _colours(large[..., 0].numpy())


def _spotlit(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """An image, darker where it does not speak for its class: uint8 [height, width, 3]."""
    large = tf.image.resize(heat[..., None], image.shape[:2]).numpy()
    pixels = np.broadcast_to(np.clip(image, 0, 1), (*image.shape[:2], 3)) * 255
    return np.uint8((DARKEST + (1 - DARKEST) * large) * pixels)


def _colours(values: np.ndarray) -> np.ndarray:
    return np.uint8(matplotlib.colormaps["viridis"](values)[..., :3] * 255)
