"""A program that answers examples with an exported model, and imports nothing of this package.

    python reload.py FORMAT FOLDER EXAMPLES ANSWERS

EXAMPLES and ANSWERS are files of NumPy's: the inputs as `input/NAME`, with encoded images as bytes
in `file/0`, `file/1` …, and the outputs by name, from files with `file/` in front.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def main(model_format: str, folder: str, examples: str, answers: str) -> None:
    """Write the answers to the examples."""
    given = dict(np.load(examples))
    inputs = {name[len("input/") :]: value for name, value in given.items() if name[0] == "i"}
    files = [given[f"file/{n}"].tobytes() for n in range(len(given) - len(inputs))]
    found = READERS[model_format](folder, inputs, files)
    np.savez(answers, **found)
    if "trainer" in sys.modules:
        sys.exit("the package itself was imported")


def savedmodel(folder: str, inputs: Mapping[str, Any], files: Sequence[bytes]) -> dict[str, Any]:
    """By both signatures, and by __call__."""
    import tensorflow as tf

    model = tf.saved_model.load(folder)
    from_inputs = model.signatures["images" if files else "serving_default"]
    found = _numeric(from_inputs(**{name: tf.constant(value) for name, value in inputs.items()}))
    if files:
        from_files = _numeric(model.signatures["serving_default"](tf.constant(files)))
        found |= {f"file/{name}": value for name, value in from_files.items()}
    return found


def keras(folder: str, inputs: Mapping[str, Any], _files: Sequence[bytes]) -> dict[str, Any]:
    """By Keras, as its own format."""
    import os

    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    model = keras.saving.load_model(f"{folder}/model.keras")
    given = [inputs[one.name] for one in model.inputs]
    outputs = model(given[0] if len(given) == 1 else given, training=False)
    return {name: np.asarray(value) for name, value in outputs.items()}


def litert(folder: str, inputs: Mapping[str, Any], _files: Sequence[bytes]) -> dict[str, Any]:
    """By LiteRT, an example at a time: the model's own batch."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(f"{folder}/model.tflite").get_signature_runner("serving_default")
    rows = [
        runner(**{name: value[row : row + 1] for name, value in inputs.items()})
        for row in range(len(next(iter(inputs.values()))))
    ]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def onnx(folder: str, inputs: Mapping[str, Any], _files: Sequence[bytes]) -> dict[str, Any]:
    """By ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        f"{folder}/model.onnx", providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _numeric(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.numpy() for name, value in outputs.items() if value.dtype.name != "string"}


READERS = {"savedmodel": savedmodel, "keras": keras, "litert": litert, "onnx": onnx}

if __name__ == "__main__":
    main(*sys.argv[1:])
