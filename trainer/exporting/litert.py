"""A LiteRT model with its labels, in float32, float16 or int8, for phones and small computers."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config.export import Quantization
from trainer.core.errors import UserError
from trainer.core.text import first_line, printable
from trainer.data.own_data import Arrays
from trainer.data.pipeline.batches import image_batches
from trainer.exporting.check import BATCH
from trainer.exporting.saved_model import SERVING_DEFAULT
from trainer.exporting.served import ServedModel, example_inputs
from trainer.loop.metrics import Metrics
from trainer.report.display import Table
from trainer.setup.data import RunData, load_data

logger = logging.getLogger(__name__)

MODEL = "model.tflite"

REPRESENTATIVE = 100
"""So many training examples, as TensorFlow's guide to quantization asks for, set int8's ranges."""


def write_litert(served: ServedModel, folder: Path, quantize: Quantization | None) -> None:
    """Write model.tflite, from images or a task's own inputs to scores, and its labels.

    Raises:
        UserError: the network has operations that LiteRT lacks.
    """
    module = tf.train.Checkpoint()
    module.variables = [variable.value for variable in served.network.model.variables]
    traced = tf.function(lambda **tensors: served.scores(tensors))
    signatures = {SERVING_DEFAULT: traced.get_concrete_function(**served.input_specs)}
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, [SERVING_DEFAULT])
        _quantize(converter, served, quantize)
        try:
            content = converter.convert()
        except Exception as error:  # the converter has no class of error of its own
            raise UserError(
                f"--format litert cannot have this network ({first_line(error)}); choose another"
                " format"
            ) from error
    (folder / MODEL).write_bytes(content)
    for output, names in served.names_by_output.items():
        file = folder / (f"labels_{output}.txt" if output else "labels.txt")
        lines = "".join(f"{printable(name)}\n" for name in names)
        file.write_text(lines, encoding="utf-8", errors="backslashreplace")


def quantized_scores(served: ServedModel, folder: Path) -> dict[str, np.ndarray]:
    """The scores of a model's files for `example_inputs`."""
    return _Interpreted(folder)(example_inputs(served, BATCH))


def compare_on_validation(served: ServedModel, folder: Path) -> dict[str, dict[str, str]]:
    """The metrics of validation before and after a quantization, which are logged as a table."""
    data = load_data(served.run.task, served.run.config)
    quantized, measured = _Interpreted(folder), {}
    metrics = {
        name: Metrics(served.run.task.metrics(), served.names) for name in ("float32", "quantized")
    }
    for tensors, inputs, labels in _examples(served, data, "validation"):
        targets = served.run.task.targets(inputs, labels)
        hard = served.run.task.hard_labels(targets)
        as_arrays = {name: np.asarray(value) for name, value in tensors.items()}
        for name, scores in (
            ("float32", served.scores(tensors)),
            ("quantized", quantized(as_arrays)),
        ):
            metrics[name].update_state(hard, served.structured(scores), tf.ones([1]))
    for name, of_model in metrics.items():
        shown = {key: f"{v:.4f}" for key, v in of_model.result().items() if "/" not in key}
        measured[name] = shown
    logger.info(Table("validation", measured))
    return measured


class _Interpreted:
    """A model.tflite as a function of arrays."""

    def __init__(self, folder: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter  # the extra "litert"

        self._interpreter = Interpreter(str(folder / MODEL))
        self._run = self._interpreter.get_signature_runner(SERVING_DEFAULT)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        rows = [
            self._run(**{name: value[row : row + 1] for name, value in inputs.items()})
            for row in range(len(next(iter(inputs.values()))))
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _quantize(converter: Any, served: ServedModel, quantize: Quantization | None) -> None:
    if quantize is None:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return
    data = load_data(served.run.task, served.run.config)

    def representative() -> Iterator[tuple[str, dict[str, Any]]]:
        for number, (tensors, _, _) in enumerate(_examples(served, data, "train")):
            if number == REPRESENTATIVE:
                return
            yield SERVING_DEFAULT, tensors

    converter.representative_dataset = representative


def _examples(
    served: ServedModel, data: RunData, split: str
) -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Each example in a batch of its own: the tensors by name, the inputs, the labels."""
    for inputs, labels in _batches(served, data, split):
        yield dict(zip(served.input_specs, tf.nest.flatten(inputs), strict=True)), inputs, labels


def _batches(served: ServedModel, data: RunData, split: str) -> tf.data.Dataset:
    config, images = served.run.config, data.images_of(split)
    if images is not None:
        order = (config.seed, 0)  # stored by class, at times: the first alone are of one
        return image_batches(
            *(images, served.image_size, 1, order),
            channels=served.channels,
            resize=served.resize,
        )
    assert data.source.own_data is not None
    own = data.source.own_data[split]
    if isinstance(own, Arrays):
        examples = tf.data.Dataset.from_tensor_slices((own.inputs, own.labels))
    else:
        examples = own.make_dataset(None, config.seed).map(lambda *example: example[:2])
    return examples.map(lambda *e: tf.nest.map_structure(_in_32_bits, e)).batch(1)


def _in_32_bits(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.float32) if value.dtype == tf.float64 else value
