"""A task: what is learnt. Its dataset, its head, its loss, its metrics and its defaults."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainer.config.config import Config
from trainer.core import tensorflow_import
from trainer.core.errors import UserError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Plugin = TypeVar("Plugin")

TFDS = "tfds"
"""What `tfds:NAME` begins with: the module of the one task that takes a dataset's name."""


class Task:
    """Image classification on one dataset. Subclass it, name the dataset and give a head.

    ```python
    class Cats(Task):
        dataset = "cats_vs_dogs"
        splits = {"train": "train[:80%]", "validation": "train[80%:90%]", "test": "train[90%:]"}

        def head(self, classes):
            return keras.Sequential([keras.layers.Dense(classes)])
    ```
    """

    dataset: str = ""
    """The dataset's name in TFDS; empty where there is none, and `--data PATH` gives the data."""

    splits: Mapping[str, str] | None = {
        "train": "train",
        "validation": "validation",
        "test": "test",
    }
    """The three splits as TFDS split expressions; None for those that the dataset has, with
    validation and test, where it lacks them, cut from its train."""

    sample: str | None = None
    """The pictures that stand in where nothing is downloaded: a folder of `trainer/samples`."""

    classes: tuple[str, ...] | None = None
    """Only these classes of the data, labelled in this order; all of them when None."""

    channels: int = 3
    """Of the images that a head without an extractor is given: 3 for RGB, 1 for grey."""

    freeze_on_init: tuple[str, ...] = ()
    """The names of layers that stay as they are when `--init-from` gives them their weights."""

    defaults: Config = Config()
    """What the options are when the command does not give them."""

    @property
    def name(self) -> str:
        """What the task's folder of runs is called."""
        return type(self).__name__.lower()

    def head(self, classes: int) -> keras.Model:
        """The network that learns: features [batch, width] (or images) to logits."""
        raise NotImplementedError(f"{type(self).__name__} needs a head(self, classes)")

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of each example, [batch].

        Labels are classes, int32 [batch], or shares of classes, float32 [batch, classes].
        """
        import keras

        if labels.shape.rank == 2:
            return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
        return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """What the metrics are given: the probability of each class, [batch, classes]."""
        import keras

        return keras.ops.softmax(logits)

    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """New streaming metrics of labels and probabilities, by the names that reports show.

        The best weights are those with the highest validation accuracy, then lowest loss.
        """
        import keras

        return {"accuracy": keras.metrics.SparseCategoricalAccuracy()}


def find_task(name: str) -> Task:
    """The task of a name: "flowers", "tfds:cifar10", or a class of the user's, "my_tasks:Cats".

    Raises:
        UserError: no such name, module or class; the nearest name is told.
    """
    task = _new_task(name)
    task.defaults = dataclasses.replace(task.defaults, task=name)
    return task


def task_names() -> list[str]:
    """The tasks that `--task` knows by a name alone."""
    import tasks

    modules = (module.name for module in pkgutil.iter_modules(tasks.__path__))
    return sorted(name.replace("_", "-") for name in modules if name != TFDS)


def load_class(option: str, reference: str, base: type[Plugin]) -> type[Plugin]:
    """The user's subclass of `base` that an option names as module:Class.

    Raises:
        UserError: naming the option, where there is no such module or class.
    """
    module_name, _, class_name = reference.partition(":")
    tensorflow_import.import_tensorflow()  # as the user's module is about to do
    # The console script, unlike `python -m`, does not look into the current folder: whatever lies
    # there could stand in for a library, and only whoever names a module of theirs trusts it.
    if module_name != __package__ and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module = _import_plugin(option, reference, module_name)
    found = getattr(module, class_name, None)
    if not (inspect.isclass(found) and issubclass(found, base)):
        raise UserError(
            f"{option} {reference}: {module_name} has no class {class_name!r} that is a"
            f" {base.__name__}; write it as module:Class"
        )
    return found


def _import_plugin(option: str, reference: str, module_name: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # A module that the user's own module lacks is their traceback to see.
        if error.name != module_name and not module_name.startswith(f"{error.name}."):
            raise
    except (ValueError, TypeError):  # "" or "..pkg": no module's name
        pass
    raise UserError(
        f"{option} {reference}: there is no module {module_name!r}; run where"
        f" {module_name or 'my_module'}.py lies, and write module:Class"
    )


def _new_task(name: str) -> Task:
    if name.startswith(f"{TFDS}:"):
        any_dataset: Any = _class_in(TFDS)
        return any_dataset(name.removeprefix(f"{TFDS}:"))
    return (load_class("--task", name, Task) if ":" in name else _named_task(name))()


def _named_task(name: str) -> type[Task]:
    names = task_names()
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {nearest[0]}? There are" if nearest else "there are"
        raise UserError(
            f"unknown task {name!r}: {hint} {', '.join(names)}, {TFDS}:NAME, or module:Class"
        )
    return _class_in(name.replace("-", "_"))


def _class_in(module_name: str) -> type[Task]:
    module = importlib.import_module(f"tasks.{module_name}")
    return next(
        found
        for found in vars(module).values()
        if inspect.isclass(found)
        and issubclass(found, Task)
        and found.__module__ == module.__name__
    )
