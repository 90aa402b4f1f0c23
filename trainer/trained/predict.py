"""Images through a trained network: read and decoded in parallel, batch by batch."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.config.config import Config
from trainer.config.transfer import Resize
from trainer.core.concurrency import side_by_side
from trainer.core.errors import UserError
from trainer.core.progress import progress_bar
from trainer.data.images.decoding import decode_error
from trainer.data.labels import Names, by_output, names_from_json
from trainer.data.pipeline.batches import PREFETCH, decode_and_resize, without_autotune
from trainer.data.pipeline.views import View, views
from trainer.features.features import EXTRACTION_BATCH
from trainer.results.evaluation import temperatures_of
from trainer.task import Task
from trainer.trained.network import WholeNetwork, whole_network
from trainer.trained.predictions import Predictions


def make_predictor(
    model: keras.Model, folder: Path, task: Task, config: Config, result: Mapping[str, Any]
) -> Predictor:
    """The predictor of a finished run.

    Args:
        model: The trained model, `Run.model`.
        folder: The run's folder.
        task: Its task.
        config: Its options.
        result: The content of its result.json.

    Raises:
        UserError: the run has no checkpoint, or its extractor cannot be loaded.
    """
    network = whole_network(model, folder, task, config)
    names = names_from_json(result["data"]["classes"])
    return Predictor(network, names, temperatures_of(result), config)


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A trained network with the names of what it predicts."""

    network: WholeNetwork
    names: Names
    temperatures: Mapping[str, float]
    config: Config

    def predict_files(
        self, paths: Sequence[str], unknown_below: float = 0.0, tta: int = 1
    ) -> Iterator[Predictions]:
        """The predictions of image files, batch by batch; those that cannot be read are named.

        Args:
            paths: The files.
            unknown_below: Where the most probable class has a lower score, it is unknown.
            tta: The views of each image whose scores are averaged.

        Raises:
            UserError: the network takes no images.
        """
        size, channels = self._image_shape()
        done, predictions = 0, self._predictions_of(unknown_below)
        batches = _decoded_batches(paths, size, channels, self.config.resize)
        scores_of = self._in_graph  # made once, by one thread

        def scored(indices: np.ndarray, images: tf.Tensor) -> tuple[np.ndarray, Any]:
            return indices, self._mean_scores(scores_of, images, tta)

        calls = (functools.partial(scored, *batch) for batch in batches)
        with progress_bar("predicting", "images") as report:
            for indices, scores in side_by_side(calls):
                last = int(indices[-1]) + 1
                present = [paths[index] for index in indices]
                missing = sorted(set(range(done, last)) - set(indices.tolist()))
                yield predictions(present, scores, [paths[index] for index in missing])
                done = last
                report(done, len(paths))
        if done < len(paths):
            yield predictions([], self._no_scores(), paths[done:])

    def predict_arrays(self, inputs: Any, unknown_below: float = 0.0, tta: int = 1) -> Predictions:
        """The predictions of arrays as the network takes them: images float32 in [0, 1], say."""
        inputs = tf.nest.map_structure(
            lambda array, spec: tf.cast(array, spec.dtype), inputs, self.network.input_spec
        )
        if tta > 1:
            self._image_shape()
        scores = self._mean_scores(self._scores, inputs, tta)
        examples = len(tf.nest.flatten(inputs)[0])
        return self._predictions_of(unknown_below)(list(map(str, range(examples))), scores, [])

    def _mean_scores(self, scores_of: Callable[[Any], Any], inputs: Any, tta: int) -> Any:
        """The mean over the views; arrays float32 [batch, names], of several outputs in a dict."""
        plain, *others = views(self.config, tta)
        assert plain is None, "the first view is the image as it is"
        seen = [inputs, *(_seen(view, inputs) for view in others if view)]
        scores = [_arrays(scores_of(images)) for images in seen]
        return tf.nest.map_structure(lambda *of_views: np.stack(of_views).mean(axis=0), *scores)

    @functools.cached_property
    def _in_graph(self) -> Callable[[tf.Tensor], Any]:
        return tf.function(self._scores, input_signature=[self.network.input_spec])

    def _scores(self, inputs: Any) -> Any:
        return self.network.scores(self.network(inputs), self.temperatures)

    def _image_shape(self) -> tuple[int, int]:
        spec = self.network.input_spec
        if not isinstance(spec, tf.TensorSpec) or spec.shape.rank != 4:
            raise UserError(
                f"{self.network.task.name} takes no images; give its inputs to run.predict, as"
                " arrays"
            )
        return spec.shape[1], spec.shape[3]

    def _predictions_of(
        self, unknown_below: float
    ) -> Callable[[Sequence[str], Any, Sequence[str]], Predictions]:
        """Makes predictions of image names, scores, and the files that cannot be read."""
        kinds = self.network.task.label_kind

        def predictions(images: Sequence[str], scores: Any, bad: Sequence[str]) -> Predictions:
            unreadable = {path: _reading_error(path) for path in bad}
            return Predictions(tuple(images), self.names, kinds, scores, unreadable, unknown_below)

        return predictions

    def _no_scores(self) -> Any:
        return by_output(self.names, lambda names: np.zeros([0, len(names)], np.float32))


def _decoded_batches(
    paths: Sequence[str], size: int, channels: int, resize: Resize
) -> Iterator[tuple[np.ndarray, tf.Tensor]]:
    """The indices and pixels of the files that can be read, in their order."""

    def load(index: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return index, decode_and_resize(tf.io.read_file(path), size, channels, resize)

    # As bytes: a file's name need not be UTF-8.
    references = tf.constant([os.fsencode(path) for path in paths], tf.string)
    images = tf.data.Dataset.from_tensor_slices(references).enumerate()
    images = images.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    batches = images.ignore_errors().batch(EXTRACTION_BATCH).prefetch(PREFETCH)
    for indices, pixels in without_autotune(batches):
        yield indices.numpy(), pixels


def _seen(view: View, images: tf.Tensor) -> tf.Tensor:
    """A batch of images in one of the views."""
    position = tf.constant(0, tf.int64)  # the same for all
    return tf.stack([view(image, position) for image in images])


def _reading_error(path: str) -> str:
    """What is wrong with a file that was not decoded."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a name as it was given)
            encoded = file.read()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return decode_error(tf.constant(encoded)) or "was being changed; try again"


def _arrays(scores: Any) -> Any:
    return tf.nest.map_structure(np.asarray, scores)
