"""What an exported model computes: scores and names, from encoded images or from tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.config.transfer import Resize
from trainer.data.images.graph_decoding import decode_in_graph
from trainer.data.images.resizing import smallest_scale
from trainer.data.labels import Names
from trainer.data.pipeline.batches import resize_decoded
from trainer.evaluation.outputs import SINGLE_OUTPUT
from trainer.extractors.cutting import UPPER
from trainer.optimization.precision import FULL
from trainer.results.evaluation import temperatures_of
from trainer.task import Task
from trainer.trained.network import WholeNetwork, whole_network

IMAGES, IMAGE_BYTES, INPUTS = "images", "image_bytes", "inputs"
"""The names of what signatures take; a task's own inputs have their own names, where they have."""

SCORES, CLASSES = "scores", "classes"
"""The names of what they give; of several outputs kind_scores and kind_classes, for example."""

DEFAULT, FEATURE_VECTOR = "default", "feature_vector"
"""The endpoints of the module, as modules of TensorFlow Hub name them."""

_EXTRACTOR_LAYERS = ("extractor", "pooled_extractor", "joined_extractor", UPPER)
_MAP_LAYERS = ("flattened_map", "averaged_map")


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """What an export needs of a run."""

    folder: Path
    config: Config
    result: Mapping[str, Any]
    """The content of result.json."""

    task: Task
    model: keras.Model
    """With the best weights."""


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """The network of a run with what makes scores of its logits, and the names of these."""

    run: FinishedRun
    network: WholeNetwork
    names: Names
    temperatures: Mapping[str, float]
    takes_images: bool
    """Whether it was trained on images; otherwise on a task's own inputs."""

    @classmethod
    def from_run(cls, run: FinishedRun) -> ServedModel:
        """The model of a finished run.

        Raises:
            UserError: the run has no checkpoint, or is of another model than the code builds now.
        """
        return cls(
            run,
            whole_network(run.model, run.folder, run.task, run.config),
            run.result["data"]["classes"],
            temperatures_of(run.result),
            run.result["data"]["source"] not in ("arrays", "pipeline"),
        )

    @property
    def trainable(self) -> bool:
        """Whether all weights below the head were trained, so that all of them can be again."""
        config = self.run.config
        all_in_model = self.network.extractor is None
        return all_in_model and (not config.uses_extractor or config.extractor_trainable)

    @property
    def image_size(self) -> int:
        """Height and width of the images in pixels."""
        return self.network.input_spec.shape[1]

    @property
    def channels(self) -> int:
        """Of the images: 3 for RGB, 1 for grey."""
        return self.network.input_spec.shape[3]

    @property
    def resize(self) -> Resize:
        """How images become squares."""
        return self.run.config.resize

    @property
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """The tensors of a batch of inputs by name, in the order in which TensorFlow lists them."""
        name = IMAGES if self.takes_images else INPUTS
        return dict(_named_specs(self.network.input_spec, name))

    def scores(self, tensors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The scores of each output, from the tensors of `input_specs`."""
        inputs = tf.nest.pack_sequence_as(
            self.network.input_spec, [tensors[name] for name in self.input_specs]
        )
        return self.named(self.network.scores(self.network(inputs), self.temperatures))

    def named(self, scores: Any) -> dict[str, Any]:
        """Scores as the task has them, by the names that exported models give them."""
        return {_output_name(name, SCORES): value for name, value in _by_name(scores).items()}

    def structured(self, scores: Mapping[str, Any]) -> Any:
        """The scores of an exported model as the task has them."""
        found = {name.removesuffix(SCORES).removesuffix("_"): v for name, v in scores.items()}
        return found.get(SINGLE_OUTPUT, found)

    def scores_and_names(self, tensors: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The scores of each output, and for each score the name of what it is of.

        The names are repeated for each example, string [batch, classes]: TensorFlow Serving gives
        an answer a row only where all outputs have the same number of rows.
        """
        outputs = self.scores(tensors)
        for output, names in self.names_by_output.items():
            scores = outputs.get(_output_name(output, SCORES))
            if scores is not None and scores.shape.as_list()[1:] == [len(names)]:
                row = tf.constant([[name.encode(errors="surrogateescape") for name in names]])
                outputs[_output_name(output, CLASSES)] = tf.tile(row, [tf.shape(scores)[0], 1])
        return outputs

    @property
    def names_by_output(self) -> dict[str, list[str]]:
        """The names of classes, labels or numbers; of the single output under an empty name."""
        return {name: list(names) for name, names in _by_name(self.names).items()}

    @property
    def output_names(self) -> list[str]:
        """The names of what signatures give."""
        return [
            _output_name(output, what)
            for output in self.names_by_output
            for what in (SCORES, CLASSES)
        ]

    def images(self, encoded: tf.Tensor) -> tf.Tensor:
        """A batch of encoded images, string [batch], prepared as in training."""
        spec, scale = self.network.input_spec, smallest_scale(self.image_size, self.resize)
        shape = self.image_size, self.channels
        return tf.map_fn(
            lambda one: resize_decoded(decode_in_graph(one, scale), *shape, self.resize),
            encoded,
            fn_output_signature=tf.TensorSpec(spec.shape[1:], tf.float32),
        )

    def endpoints(self, inputs: Any, training: bool) -> dict[str, Any]:
        """The logits as "default", and where there is an extractor the features of the head."""
        below, above = self._layers
        features = self.network.features(inputs)
        if below:
            features = keras.Sequential(below)(features, training=training)
            logits = keras.Sequential(above)(features, training=training)
        else:
            logits = self.network.model(features, training=training)
        has_features = self.network.extractor is not None or bool(below)
        if has_features and features.shape.rank == 2:
            return {DEFAULT: logits, FEATURE_VECTOR: features}
        return {DEFAULT: logits}

    @property
    def _layers(self) -> tuple[list[Any], list[Any]]:
        """The layers of the model below the head, and the others; none where it has no such."""
        model, behind = self.network.model, []
        if self.run.config.precision != FULL:
            model, *behind = model.layers  # the head's logits are cast behind it
        if type(model) is not keras.Sequential:
            return [], []
        number = sum(layer.name in (*_EXTRACTOR_LAYERS, *_MAP_LAYERS) for layer in model.layers)
        return (model.layers[:number], [*model.layers[number:], *behind]) if number else ([], [])


def example_inputs(served: ServedModel, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of every type and shape that the model takes, for comparing it with its export.

    Integers are 0 and 1, which any table of embeddings has.
    """
    random = np.random.default_rng(seed)

    def example(spec: tf.TensorSpec) -> np.ndarray:
        shape = [batch, *(size or 1 for size in spec.shape[1:])]
        if spec.dtype.is_floating:
            return random.random(shape).astype(spec.dtype.as_numpy_dtype)
        if spec.dtype == tf.string:
            return np.full(shape, b"", "S1")
        return random.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)

    return {name: example(spec) for name, spec in served.input_specs.items()}


def _named_specs(spec: Any, name: str) -> Iterator[tuple[str, tf.TensorSpec]]:
    """The specs of a structure: those of a dict by their keys, of a tuple by their numbers."""
    if isinstance(spec, tf.TensorSpec):
        yield name, tf.TensorSpec(spec.shape, spec.dtype, name)
        return
    is_dict = isinstance(spec, Mapping)
    for key in sorted(spec) if is_dict else range(len(spec)):
        below = str(key) if is_dict and name == INPUTS else f"{name}_{key}"
        yield from _named_specs(spec[key], below)


def _by_name(values: Any) -> dict[str, Any]:
    return dict(values) if isinstance(values, Mapping) else {SINGLE_OUTPUT: values}


def _output_name(output: str, what: str) -> str:
    return f"{output}_{what}" if output else what
