"""Runs in Python: train one, or load one that was trained before."""

from __future__ import annotations

import dataclasses
import functools
import html
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.config.config import Config
from trainer.config.export import ModelFormat, Quantization
from trainer.core import signals
from trainer.core.errors import UserError
from trainer.core.run_folder import RunFolder
from trainer.core.tensorflow_import import import_tensorflow
from trainer.remote.runs import local_run
from trainer.report.clock import Clock
from trainer.setup.plugins import (
    class_reference,
    find_task,
    load_hooks,
    load_trainer_class,
    task_reference,
)
from trainer.setup.resume import check_same_options, find_run, finished_message, saved_config
from trainer.task import Task

if TYPE_CHECKING:
    import keras

    from trainer.loop.trainer import Hook, Trainer
    from trainer.trained.evaluate import MeasuredRun
    from trainer.trained.predict import Predictor
    from trainer.trained.predictions import Predictions

logger = logging.getLogger(__name__)


@dataclasses.dataclass(repr=False)
class Run:
    """A finished run: what `train` returns, and `load` finds again.

    `print(run)` shows the metrics of every split; a notebook the curves of training, too.
    """

    folder: Path
    """LOG_DIR/<task>/<run>; of a dry run it is gone."""

    config: Config
    result: dict[str, Any]
    """The content of result.json."""

    task: Task
    trainer_class: type[Trainer]
    _epochs: list[dict[str, float]]
    _model: keras.Model | None = None

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The metrics of train, validation and test, by split and name, of the best weights."""
        return self.result["metrics"]

    @property
    def history(self) -> Any:
        """The metrics of every epoch: a pandas.DataFrame if pandas is installed, else rows."""
        try:
            import pandas
        except ImportError:
            return self._epochs
        return pandas.DataFrame(self._epochs)

    @property
    def model(self) -> keras.Model:
        """The trained model with the best weights by validation.

        It takes what it was trained on: the extractor's features where that is frozen, else images.
        """
        if self._model is None:
            from trainer.trained.model import load_model

            self._model = load_model(self.folder, self.task, self.config, self.trainer_class)
        return self._model

    def evaluate(
        self,
        split: str = "test",
        data: str | Path | None = None,
        data_dir: Path | None = None,
        tta: int = 1,
    ) -> MeasuredRun:
        """The run measured on a split, with the best weights.

        Args:
            split: train, validation or test.
            data: Other data than the run's: a folder of class folders, or a table.
            data_dir: Of TFDS datasets; that of the run when None.
            tta: Test-time augmentation: the views of each image whose scores are averaged.

        Raises:
            UserError: there are no such data, or the run has not learned their classes.
        """
        from trainer.results.evaluation import temperatures_of
        from trainer.trained.evaluate import measure_run

        config = dataclasses.replace(self.config, data_dir=data_dir or self.config.data_dir)
        return measure_run(
            *(self.folder, self.task, config, self.trainer_class, temperatures_of(self.result)),
            *(split, None if data is None else str(data), tta),
        )

    def predict(self, images: Any, unknown_below: float = 0.0, tta: int = 1) -> Predictions:
        """What the best weights say of images, with calibrated scores.

        ```python
        run.predict(["rose.jpg", "tulip.jpg"]).predicted  # ["roses", "tulips"]
        ```

        Args:
            images: Paths of image files; or an array as the network takes it, images float32
                [images, side, side, channels] in [0, 1], or the task's own inputs.
            unknown_below: Where the most probable class has a lower score, it is "unknown".
            tta: The views of each image whose scores are averaged.

        Raises:
            UserError: the run has no checkpoint, or the network takes no images.
        """
        from trainer.trained.predictions import concatenated

        if not _are_paths(images):
            return self._predictor.predict_arrays(images, unknown_below, tta)
        return concatenated(list(self.predict_files(list(map(str, images)), unknown_below, tta)))

    def predict_files(
        self, paths: Sequence[str], unknown_below: float = 0.0, tta: int = 1
    ) -> Iterator[Predictions]:
        """The same of many files, batch by batch as they come."""
        return self._predictor.predict_files(paths, unknown_below, tta)

    def __str__(self) -> str:
        """The metrics of every split, below the folder."""
        from trainer.report.result import metrics_table

        return f"{self.folder}\n{metrics_table(self.result)}"

    def _repr_html_(self) -> str:
        """The same in a notebook, and the curves of training."""
        from trainer.report.figures.style import as_svg
        from trainer.report.figures.training import training_curves
        from trainer.report.result import metrics_table

        curves = as_svg(training_curves(self._epochs, self.result["best_step"]))
        folder = html.escape(str(self.folder))
        return f"<p>{folder}</p>{metrics_table(self.result)._repr_html_()}{curves}"

    __repr__ = __str__

    @functools.cached_property
    def _predictor(self) -> Predictor:
        from trainer.trained.predict import make_predictor

        return make_predictor(self.model, self.folder, self.task, self.config, self.result)

    def export(
        self,
        folder: str | Path,
        format: ModelFormat = "savedmodel",
        quantize: Quantization | None = None,
    ) -> Path:
        """Write the model, from images to scores, for programs without this package.

        Args:
            folder: New; it gets the model's files, and MODEL.md, which says how to use it.
            format: savedmodel, litert, onnx or keras.
            quantize: int8 or float16 numbers, in litert.

        Returns:
            The folder.

        Raises:
            UserError: the folder exists, or this model cannot be written in this format.
        """
        from trainer.exporting.export import export_run
        from trainer.exporting.served import FinishedRun

        run = FinishedRun(self.folder, self.config, self.result, self.task, self.model)
        return export_run(run, Path(folder), format, quantize)


def train(
    task: Task,
    config: Config | None = None,
    *,
    trainer_class: type[Trainer] | None = None,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train a task, test the best weights, and write everything to a run folder.

    ```python
    run = trainer.train(Flowers(), trainer.Config(epochs=5))
    run.metrics["test"]["accuracy"]
    ```

    A run that is resumed (`config.resume`) starts from its newest checkpoint; one that is finished
    is loaded. Messages go to the logger "trainer".

    Args:
        task: What is learned.
        config: How; the task's own defaults when not given.
        trainer_class: The trainer; that of `config.trainer` when not given.
        hooks: Hooks of your own, behind those of `config.hook`.

    Raises:
        UserError: what a person can fix; of a run that has learned nothing yet no folder is left.
        Interrupted: Ctrl-C or SIGTERM, a KeyboardInterrupt; the state of training is saved.
    """
    clock = Clock()
    import_tensorflow()
    config = _recorded(config or task.defaults, task, trainer_class)
    trainer_class = trainer_class or load_trainer_class(config.trainer)
    if config.resume is not None:
        folder = _folder_to_resume(config, task)
        if (message := finished_message(folder, config)) is not None:
            logger.info(message)
            return load(folder, task, trainer_class)
        config = dataclasses.replace(config, resume=folder)
    return _train(task, config, trainer_class, [*load_hooks(config.hook), *hooks], clock)


def load(
    folder: str | Path, task: Task | None = None, trainer_class: type[Trainer] | None = None
) -> Run:
    """A finished run, from its folder.

    Args:
        folder: LOG_DIR/<task>/<run>, or its address.
        task: Its task; found by the name in its config when not given.
        trainer_class: Its trainer, likewise.

    Raises:
        UserError: there is no run in the folder, or it is not finished.
    """
    import_tensorflow()
    files = RunFolder(local_run(folder))
    config = saved_config(files.path)
    from trainer.report.result import read_history  # imports NumPy

    try:
        result = json.loads(files.result.read_bytes())
        epochs = read_history(files.history)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{files.result} cannot be read ({error}); a run has it when it is finished"
        ) from error
    return Run(
        folder=files.path,
        config=config,
        result=result,
        task=task or find_task(config.task),
        trainer_class=trainer_class or load_trainer_class(config.trainer),
        _epochs=epochs,
    )


def _are_paths(images: Any) -> bool:
    return isinstance(images, Sequence) and all(isinstance(one, str | Path) for one in images)


def _train(
    task: Task,
    config: Config,
    trainer_class: type[Trainer],
    hooks: Sequence[Hook],
    clock: Clock,
) -> Run:
    from trainer.runs.session import train_in_folder  # imports TensorFlow

    with signals.handle_signals(second_ends_process=False):
        files, trained, result = train_in_folder(task, config, trainer_class, hooks, clock)
    epochs = [record.as_row() for record in trained.history]
    return Run(files.path, config, result, task, trainer_class, epochs, trained.model)


def _recorded(config: Config, task: Task, trainer_class: type[Trainer] | None) -> Config:
    """The config with the names by which the task and the trainer are found again."""
    config = dataclasses.replace(config, task=task_reference(task))
    if trainer_class is None:
        return config
    return dataclasses.replace(config, trainer=class_reference(trainer_class))


def _folder_to_resume(config: Config, task: Task) -> Path:
    """The folder of the run to resume, if its options agree with the config."""
    folder = find_run(str(config.resume), config.log_dir, task.name, config.cache_folder)
    check_same_options(saved_config(folder), config)
    return folder
