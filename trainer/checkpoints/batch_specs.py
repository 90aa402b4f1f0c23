"""What shape and dtype batches have, as checkpoints keep it."""

from __future__ import annotations

import json
from typing import Any

import tensorflow as tf


def spec_as_json(spec: Any) -> Any:
    """The specs of a batch as JSON takes them: "float32 [32, 1280]" in place of each."""
    return tf.nest.map_structure(lambda s: f"{s.dtype.name} {s.shape.as_list()}", spec)


def spec_from_json(content: Any) -> Any:
    """The specs of a batch that `spec_as_json` wrote."""

    def spec(text: str) -> tf.TensorSpec:
        dtype, _, shape = text.partition(" ")
        return tf.TensorSpec(json.loads(shape), dtype)

    return tf.nest.map_structure(spec, content)
