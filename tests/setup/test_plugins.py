"""What a task is by itself, and how a name finds it."""

import importlib
import importlib.metadata
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, ImageClassification, Task, UserError
from trainer.setup.plugins import find_task, is_found_by_name, load_class, task_names

CATS = """
from trainer import Config, ImageClassification, Task

class Cats(ImageClassification):
    dataset = "cats_vs_dogs"
    defaults = Config(epochs=3)

NOT_A_CLASS = 3

class NoTask:
    pass
"""


@pytest.fixture
def cats(user_module):
    user_module("my_tasks", CATS)


@pytest.mark.parametrize("name", task_names())
def test_a_task_is_known_by_its_name(name):
    assert find_task(name).name == name


@pytest.mark.parametrize("name", task_names())
def test_every_task_knows_by_which_name_it_was_asked_for(name):
    assert find_task(name).defaults.task == name


@pytest.mark.parametrize(("wrong", "right"), [("flower", "flowers"), ("dog", "dogs")])
def test_a_name_that_is_nearly_right_is_told_the_right_one(wrong, right):
    with pytest.raises(UserError, match=rf"^unknown task '{wrong}': did you mean {right}\?"):
        find_task(wrong)


@pytest.mark.parametrize("name", ["zzz", "", "tfds"])
def test_a_name_like_no_other_is_told_all_of_them(name):
    names = ", ".join(task_names())
    with pytest.raises(UserError, match=f"there are {names}, tfds:NAME, or module:Class"):
        find_task(name)


@pytest.mark.parametrize("dataset", ["mnist", "mnist_corrupted/fog", "mnist:3.0.1"])
def test_any_dataset_of_tfds_is_a_task(dataset):
    task = find_task(f"tfds:{dataset}")
    assert (task.dataset, task.defaults.task) == (dataset, f"tfds:{dataset}")


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("mnist", "tfds-mnist"),
        ("mnist_corrupted/fog:1.0.0", "tfds-mnist_corrupted-fog-1.0.0"),
        ("robots/a=1,b=../x", "tfds-robots-a-1-b-..-x"),
    ],
)
def test_the_runs_on_a_dataset_lie_in_one_folder(dataset, name):
    assert find_task(f"tfds:{dataset}").name == name


@pytest.mark.parametrize("name", ["", "../../etc", "/etc", "two words", "huggingface:mnist"])
def test_what_can_be_no_dataset_is_refused(name):
    with pytest.raises(UserError, match=rf"^--task {re.escape(f'tfds:{name}')} names no dataset"):
        find_task(f"tfds:{name}")


def test_a_class_of_the_users_is_found_in_the_current_folder(cats):
    assert find_task("my_tasks:Cats").dataset == "cats_vs_dogs"


def test_a_class_of_the_users_is_called_by_its_name_in_small_letters(cats):
    assert find_task("my_tasks:Cats").name == "cats"


def test_a_class_of_the_users_brings_its_own_defaults(cats):
    assert find_task("my_tasks:Cats").defaults.epochs == 3


def test_the_defaults_of_a_class_stay_as_they_are_written(cats):
    found = find_task("my_tasks:Cats")
    assert type(found).defaults.task == "flowers"


@pytest.mark.parametrize("name", ["Dogs", "NoTask", "NOT_A_CLASS", ""])
def test_what_is_no_class_of_a_task_is_refused(cats, name):
    with pytest.raises(UserError, match=rf"my_tasks has no class '{name}' that is a Task"):
        find_task(f"my_tasks:{name}")


@pytest.mark.parametrize("module", ["no_such_module", "no_such.module", "trainer.nothing", ".x"])
def test_a_module_that_does_not_exist_is_named(user_module, module):
    with pytest.raises(UserError, match=rf"^--task {module}:Cats: there is no module '{module}'"):
        find_task(f"{module}:Cats")


def test_an_option_that_takes_a_class_is_named_in_its_error(cats):
    with pytest.raises(UserError, match=r"^--trainer my_tasks:Dogs: "):
        load_class("--trainer", "my_tasks:Dogs", Task)


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("import no_such_package", ModuleNotFoundError),
        ("from trainer import Nothing", ImportError),
        ("class Cats(", SyntaxError),
        ("1 / 0", ZeroDivisionError),
    ],
)
def test_a_module_that_fails_by_itself_shows_its_own_traceback(user_module, text, failure):
    user_module("my_failing_tasks", text)
    with pytest.raises(failure):
        find_task("my_failing_tasks:Cats")


# What a task is by itself.


def test_a_task_without_a_head_is_told_to_write_one():
    with pytest.raises(UserError, match=r"^ImageClassification has no head; write head"):
        ImageClassification().head(2)


def test_the_loss_is_the_cross_entropy_of_each_example():
    logits = tf.math.log([[0.5, 0.5], [0.25, 0.75]])
    losses = ImageClassification().loss(tf.constant([0, 1]), logits)
    np.testing.assert_allclose(losses, [-np.log(0.5), -np.log(0.75)], rtol=1e-5)


def test_labels_may_be_shares_of_classes():
    losses = ImageClassification().loss(tf.constant([[0.4, 0.6]]), tf.math.log([[0.25, 0.75]]))
    np.testing.assert_allclose(losses, [-0.4 * np.log(0.25) - 0.6 * np.log(0.75)], rtol=1e-5)


def test_probabilities_are_the_softmax_of_logits():
    probabilities = ImageClassification().predictions(tf.math.log([[1.0, 3.0]]))
    np.testing.assert_allclose(probabilities, [[0.25, 0.75]], rtol=1e-5)


def test_metrics_are_new_each_time():
    task = ImageClassification()
    assert task.metrics()["accuracy"] is not task.metrics()["accuracy"]


# Tasks of other packages.


@pytest.fixture
def registered(user_module, monkeypatch):
    """A package that registers a task under the entry point group of tasks."""
    user_module("their_package", "from trainer import Task\nclass Cats(Task): dataset = 'cats'")
    point = importlib.metadata.EntryPoint("cats", "their_package:Cats", "trainer.tasks")
    others = importlib.metadata.entry_points

    def entry_points(group):
        return [point] if group == "trainer.tasks" else others(group=group)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_a_task_that_another_package_registers_is_found_by_its_name(registered):
    assert find_task("cats").dataset == "cats"
    assert "cats" in task_names()


def test_a_mistyped_name_of_it_has_a_hint(registered):
    with pytest.raises(UserError, match=r"unknown task 'cat': did you mean cats\?"):
        find_task("cat")


# Tasks that take arguments.

WITH_ARGUMENTS = """
from trainer import ImageClassification

class Few(ImageClassification):
    def __init__(self, images):
        self.images = images
"""


def test_a_task_that_takes_arguments_is_one_for_python(user_module):
    user_module("my_few", WITH_ARGUMENTS)
    with pytest.raises(UserError, match=r"Few takes arguments; train and resume it in Python, tra"):
        find_task("my_few:Few")


@pytest.mark.parametrize(
    ("task", "trainer", "is_found"),
    [
        ("flowers", "trainer:Trainer", True),
        ("tfds:cifar10", "trainer:Trainer", True),
        ("my_few:Few", "trainer:Trainer", False),
        ("my_tasks:Cats", "trainer:Trainer", True),
        ("__main__:Cats", "trainer:Trainer", False),
        ("flowers", "__main__:MixupTrainer", False),
        ("my_tasks:cats.<locals>.Cats", "trainer:Trainer", False),
    ],
)
def test_a_command_finds_what_is_in_a_module_and_takes_no_arguments(
    user_module, task, trainer, is_found
):
    user_module("my_few", WITH_ARGUMENTS)
    user_module("my_tasks", CATS)
    sys.path.insert(0, str(Path.cwd()))
    for module in ("my_few", "my_tasks"):
        importlib.import_module(module)
    assert is_found_by_name(Config(task=task, trainer=trainer)) == is_found
