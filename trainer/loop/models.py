"""The model that learns: a head, on an extractor where it is given images."""

from __future__ import annotations

import keras

MAP_LAYERS = {
    "flatten": lambda: keras.layers.Flatten(name="flattened_map"),
    "avg": lambda: keras.layers.GlobalAveragePooling2D(name="averaged_map"),
}
"""What a head that is given maps of features begins with, by what `--head` says."""


def build_model_from(
    extractor: keras.layers.Layer | None, head: keras.Model, of_maps: str | None
) -> keras.Model:
    """The head, behind what turns maps into vectors and on top of an extractor, if there are.

    Args:
        extractor: Images to features; None where the batches are features.
        head: Vectors of features, or images, to logits.
        of_maps: flatten or avg, where the features are maps [height, width, channels].
    """
    below = [extractor] if extractor is not None else []
    between = [MAP_LAYERS[of_maps]()] if of_maps is not None else []
    return keras.Sequential([*below, *between, head]) if below or between else head
