"""A program that answers examples with an exported model, and imports nothing of this package.

    python reload.py FORMAT FOLDER EXAMPLES ANSWERS

EXAMPLES and ANSWERS are files of NumPy's: the inputs by name, with encoded images as bytes in
`file_0`, `file_1` …, and the outputs by name, from files with `file/` in front.
"""

import sys

import numpy as np


def main(model_format, folder, examples, answers):
    """Write the answers to the examples."""
    given = dict(np.load(examples))
    files = [given.pop(f"file_{n}").tobytes() for n in range(len(given)) if f"file_{n}" in given]
    found = READERS[model_format](folder, given, files)
    np.savez(answers, **found)
    if "trainer" in sys.modules:
        sys.exit("the package itself was imported")


def savedmodel(folder, inputs, files):
    """By both signatures, and by __call__."""
    import tensorflow as tf

    model = tf.saved_model.load(folder)
    from_inputs = model.signatures["images" if files else "serving_default"]
    found = _numeric(from_inputs(**{name: tf.constant(value) for name, value in inputs.items()}))
    if files:
        from_files = _numeric(model.signatures["serving_default"](tf.constant(files)))
        found |= {f"file/{name}": value for name, value in from_files.items()}
    return found


def keras(folder, inputs, files):
    """By Keras, as its own format."""
    import os

    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    model = keras.saving.load_model(f"{folder}/model.keras")
    given = [inputs[one.name] for one in model.inputs]
    outputs = model(given[0] if len(given) == 1 else given, training=False)
    return {name: np.asarray(value) for name, value in outputs.items()}


def litert(folder, inputs, files):
    """By LiteRT, an example at a time: the model's own batch."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(f"{folder}/model.tflite").get_signature_runner("serving_default")
    rows = [
        runner(**{name: value[row : row + 1] for name, value in inputs.items()})
        for row in range(len(next(iter(inputs.values()))))
    ]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def onnx(folder, inputs, files):
    """By ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        f"{folder}/model.onnx", providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _numeric(outputs):
    return {name: value.numpy() for name, value in outputs.items() if value.dtype.name != "string"}


READERS = {"savedmodel": savedmodel, "keras": keras, "litert": litert, "onnx": onnx}

if __name__ == "__main__":
    main(*sys.argv[1:])
