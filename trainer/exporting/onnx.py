"""An ONNX model, from images or a task's own inputs to scores."""

from __future__ import annotations

import logging
from pathlib import Path

import tensorflow as tf

from trainer.core.errors import UserError
from trainer.core.text import first_line
from trainer.exporting.served import ServedModel

MODEL = "model.onnx"

OPSET = 18
"""The newest set of operators that tf2onnx 1.17 is tested with."""


def write_onnx(served: ServedModel, folder: Path) -> None:
    """Write model.onnx.

    Raises:
        UserError: the network has operations that ONNX lacks.
    """
    import onnx  # the extra "onnx"
    import tf2onnx

    specs = served.input_specs

    # Without a signature of its own: tf2onnx would lose the names of the inputs.
    @tf.function
    def scores(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return served.scores(dict(zip(specs, tensors, strict=True)))

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        model, _ = tf2onnx.convert.from_function(scores, [*specs.values()], opset=OPSET)
    except (ValueError, RuntimeError, NotImplementedError, tf.errors.OpError) as error:
        raise UserError(
            f"--format onnx cannot have this network ({first_line(error)}); choose another format"
        ) from error
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / MODEL))
