"""The whole network of a run: from images, or a task's own inputs, to logits and scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.checkpoints.batch_specs import spec_from_json
from trainer.checkpoints.store import newest_checkpoint
from trainer.config.config import Config
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder
from trainer.evaluation.outputs import SINGLE_OUTPUT
from trainer.extractors.loading import Extractor
from trainer.setup.batches import BatchFactory
from trainer.task import Task


@dataclasses.dataclass(frozen=True)
class WholeNetwork:
    """The extractor, where training took its features, and the trained model behind it.

    ```python
    network = whole_network(run.model, run.folder, run.task, run.config)
    logits = network(images)  # float32 [batch, image_size, image_size, channels] in [0, 1]
    scores = network.scores(logits, temperatures_of(run.result))
    ```
    """

    task: Task
    model: keras.Model
    """From features, or images, to logits."""

    extractor: Extractor | None
    """From images to features, optimized for inference as in training; None where the model takes
    the images itself."""

    input_spec: Any
    """Of a batch of any size: float32 [None, image_size, image_size, channels], or the structure
    of a task's own inputs."""

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """The logits of a batch, as the task's head gives them."""
        return self.model(self.features(inputs), training=training)

    def features(self, inputs: Any) -> Any:
        """What the model takes."""
        return inputs if self.extractor is None else self.extractor(inputs)

    def scores(self, logits: Any, temperatures: Mapping[str, float]) -> Any:
        """The task's predictions of logits, calibrated.

        Args:
            logits: Of one output, or of several by name.
            temperatures: By output, as `temperatures_of` gives them; 1 where there is none.
        """
        return self.task.predictions(_cooled(logits, temperatures))


def whole_network(model: keras.Model, folder: Path, task: Task, config: Config) -> WholeNetwork:
    """The network of a finished run, with the model that its checkpoint has.

    Args:
        model: The trained model, `Run.model`.
        folder: The run's folder.
        task: Its task.
        config: Its options.

    Raises:
        UserError: the run has no checkpoint, or its extractor cannot be loaded.
    """
    extractor = BatchFactory(config, task.channels).extractor
    if extractor is None:
        return WholeNetwork(task, model, None, _trained_input_spec(folder))
    images = tf.TensorSpec([None, extractor.image_size, extractor.image_size, 3])
    return WholeNetwork(task, model, extractor, images)


def _trained_input_spec(folder: Path) -> Any:
    """The spec of the batches that a run was trained on, without their size."""
    checkpoint = newest_checkpoint(RunFolder(folder).checkpoints)
    if checkpoint is None:
        raise UserError(f"{folder} has no checkpoint; train again")
    inputs, *_ = spec_from_json(checkpoint.training["batch_spec"])
    return tf.nest.map_structure(
        lambda spec: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype), inputs
    )


def _cooled(logits: Any, temperatures: Mapping[str, float]) -> Any:
    """Logits divided by the temperature of their output, where it has one."""
    if isinstance(logits, Mapping):
        return {
            name: value / temperatures[name] if name in temperatures else value
            for name, value in logits.items()
        }
    return logits / temperatures[SINGLE_OUTPUT] if SINGLE_OUTPUT in temperatures else logits
